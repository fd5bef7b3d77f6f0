/*
 * The floor: what the same answers cost without GraphQL, without a graph of several services and without any check. Fastify, one
 * prepared statement per kind of record, JSON.stringify. The operation is told by its name; its text is not looked at.
 */
import Fastify from 'fastify';
import {
  byCitizen,
  cardInForce,
  decodeCursor,
  encodeCursor,
  fieldStatuses,
  openPool,
  partialDate,
  ready,
  statements,
  unitId,
} from './data.mjs';

const pool = openPool(8);
const none = [];

async function run(name, ...values) {
  return (await pool.query({ name, text: statements[name], values })).rows;
}

async function withRecords(citizens) {
  const ids = citizens.map((row) => row.id);
  const [cards, results, referrals, reexaminations] = (
    await Promise.all([run('cards', ids), run('results', ids, 5), run('referrals', ids, 5), run('reexaminations', ids, 5)])
  ).map(byCitizen);
  return citizens.map((row) => {
    const own = cards.get(row.id) ?? none;
    const inForce = cardInForce(own);
    return {
      id: row.id,
      fullName: row.fullName,
      lifeStatus: row.lifeStatus,
      orgUnit: { id: unitId(row.unitNo), name: row.unitName },
      dateOfBirth: partialDate(row),
      gender: row.gender,
      phone: row.phone,
      insuranceCards: own.map(({ number, validFrom, validTo }) => ({ number, validFrom, validTo })),
      cardInForce: inForce === null ? null : { number: inForce.number },
      digitizedResults: { nodes: (results.get(row.id) ?? none).map(({ code, name, issuedOn }) => ({ code, name, issuedOn })) },
      referralSlips: {
        nodes: (referrals.get(row.id) ?? none).map(({ number, status, issuedOn }) => ({ number, status, issuedOn })),
      },
      reexaminationSlips: {
        nodes: (reexaminations.get(row.id) ?? none).map(({ id, appointmentOn }) => ({ id, appointmentOn })),
      },
      fieldStatuses: fieldStatuses(row.states),
    };
  });
}

async function one({ n }) {
  const citizens = await run('citizenByNumberWithUnit', n);
  return { citizen: (await withRecords(citizens))[0] ?? null };
}

async function page({ after }) {
  const rows = await run('citizensAfterWithUnit', decodeCursor(after), 21);
  const shown = rows.slice(0, 20);
  return {
    citizens: {
      nodes: await withRecords(shown),
      pageInfo: { endCursor: shown.length === 0 ? null : encodeCursor(shown.at(-1).id), hasNextPage: rows.length > 20 },
    },
  };
}

const app = Fastify();
app.post('/graphql', async (request, reply) => {
  const { operationName, variables } = request.body;
  const data = operationName === 'Q1' ? await one(variables) : await page(variables);
  return reply.header('content-type', 'application/json; charset=utf-8').send(JSON.stringify({ data }));
});
await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT ?? 0) });
ready(app.server.address().port);
