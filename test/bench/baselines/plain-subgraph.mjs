/*
 * One subgraph for Hive Gateway: Fastify with kept-alive connections, plain SQL through prepared statements, documents parsed and
 * validated once.
 */
import { buildSubgraphSchema } from '@apollo/subgraph';
import Fastify from 'fastify';
import { execute, parse, validate } from 'graphql';
import { byCitizen, openPool, ready, statements } from './data.mjs';
import { loadersOf, resolversOf } from './resolvers.mjs';
import { schemas } from './schemas.mjs';

const name = process.argv[2];
const pool = openPool(8);
const run = async (statement, ...values) => (await pool.query({ name: statement, text: statements[statement], values })).rows;
const most = 5;
const source = {
  citizenByNumber: async (number) => (await run('citizenByNumber', number))[0] ?? null,
  citizensAfter: (after, limit) => run('citizensAfter', after, limit),
  cards: async (ids) => byCitizen(await run('cards', ids)),
  results: async (ids) => byCitizen(await run('results', ids, most)),
  referrals: async (ids) => byCitizen(await run('referrals', ids, most)),
  reexaminations: async (ids) => byCitizen(await run('reexaminations', ids, most)),
  units: async (numbers) => new Map((await run('units', numbers)).map((unit) => [unit.number, unit.name])),
};

const schema = buildSubgraphSchema({ typeDefs: parse(schemas[name]), resolvers: resolversOf(name) });
const documents = new Map();
function documentOf(query) {
  let document = documents.get(query);
  if (document === undefined) {
    document = parse(query);
    const errors = validate(schema, document);
    if (errors.length > 0) throw errors[0];
    documents.set(query, document);
  }
  return document;
}

const app = Fastify({ keepAliveTimeout: 60_000 });
app.post('/graphql', async (request, reply) => {
  const { query, variables, operationName } = request.body;
  const answer = await execute({
    schema,
    document: documentOf(query),
    variableValues: variables,
    operationName,
    contextValue: { source, loaders: loadersOf(source) },
  });
  return reply.header('content-type', 'application/json; charset=utf-8').send(JSON.stringify(answer));
});
await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT ?? 0) });
ready(app.server.address().port);
