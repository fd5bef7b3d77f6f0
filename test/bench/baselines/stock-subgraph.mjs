/* One subgraph of the usual federation: Apollo Server as its guide starts it, MikroORM entities. */
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { defineEntity, p } from '@mikro-orm/core';
import { MikroORM } from '@mikro-orm/postgresql';
import { parse } from 'graphql';
import { byCitizen, databaseUrl, ready } from './data.mjs';
import { loadersOf, resolversOf } from './resolvers.mjs';
import { schemas } from './schemas.mjs';

const Citizen = defineEntity({
  name: 'Citizen',
  schema: 'citizens',
  tableName: 'citizen',
  properties: {
    id: p.uuid().primary(),
    fullName: p.text(),
    lifeStatus: p.text(),
    unitNo: p.integer(),
    dateOfBirth: p.text().nullable(),
    birthPrecision: p.text().nullable(),
    gender: p.text().nullable(),
    phone: p.text().nullable(),
    states: p.text(),
  },
});
const Identifier = defineEntity({
  name: 'Identifier',
  schema: 'citizens',
  tableName: 'identifier',
  properties: { id: p.uuid().primary(), value: p.text(), citizen: () => p.manyToOne(Citizen) },
});
const Card = defineEntity({
  name: 'Card',
  schema: 'insurance',
  tableName: 'card',
  properties: {
    id: p.uuid().primary(),
    citizenId: p.uuid(),
    number: p.text(),
    validFrom: p.date().nullable(),
    validTo: p.date().nullable(),
    status: p.text(),
  },
});
const Result = defineEntity({
  name: 'Result',
  schema: 'results',
  tableName: 'result',
  properties: {
    id: p.uuid().primary(),
    citizenId: p.uuid(),
    code: p.text().nullable(),
    name: p.text(),
    issuedOn: p.date().nullable(),
    state: p.text(),
  },
});
const ReferralSlip = defineEntity({
  name: 'ReferralSlip',
  schema: 'slips',
  tableName: 'referral_slip',
  properties: {
    id: p.uuid().primary(),
    citizenId: p.uuid(),
    number: p.text().nullable(),
    status: p.text(),
    issuedOn: p.date().nullable(),
  },
});
const ReexaminationSlip = defineEntity({
  name: 'ReexaminationSlip',
  schema: 'slips',
  tableName: 'reexamination_slip',
  properties: { id: p.uuid().primary(), citizenId: p.uuid(), status: p.text(), appointmentOn: p.date().nullable() },
});
const Unit = defineEntity({
  name: 'Unit',
  schema: 'hub',
  tableName: 'unit',
  properties: { number: p.integer().primary(), name: p.text() },
});

const name = process.argv[2];
const orm = await MikroORM.init({
  clientUrl: databaseUrl,
  entities: [Citizen, Identifier, Card, Result, ReferralSlip, ReexaminationSlip, Unit],
  pool: { max: 10 },
});

function sourceOf(em) {
  const ofCitizens = (entity, word, orderBy) => async (ids) =>
    byCitizen(await em.find(entity, { citizenId: { $in: [...ids] }, [word]: { $ne: 'WITHDRAWN' } }, { orderBy }));
  return {
    citizenByNumber: async (value) => (await em.findOne(Identifier, { value }, { populate: ['citizen'] }))?.citizen ?? null,
    citizensAfter: (after, limit) =>
      em.find(Citizen, { id: { $gt: after }, lifeStatus: { $ne: 'MERGED' } }, { orderBy: { id: 'asc' }, limit }),
    cards: ofCitizens(Card, 'status', [{ validFrom: 'desc nulls last' }, { id: 'asc' }]),
    results: ofCitizens(Result, 'state', { id: 'asc' }),
    referrals: ofCitizens(ReferralSlip, 'status', { id: 'asc' }),
    reexaminations: ofCitizens(ReexaminationSlip, 'status', { id: 'asc' }),
    units: async (numbers) =>
      new Map((await em.find(Unit, { number: { $in: [...numbers] } })).map((unit) => [unit.number, unit.name])),
  };
}

const server = new ApolloServer({
  schema: buildSubgraphSchema({ typeDefs: parse(schemas[name]), resolvers: resolversOf(name) }),
});
const { url } = await startStandaloneServer(server, {
  listen: { host: '127.0.0.1', port: Number(process.env.PORT ?? 0) },
  context: async () => {
    const source = sourceOf(orm.em.fork());
    return { source, loaders: loadersOf(source) };
  },
});
ready(new URL(url).port);
