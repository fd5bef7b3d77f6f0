/*
 * PostGraphile 5 in two processes that share a port, in production mode, without what its guide calls development aids. The
 * views of postgraphile.sql give it the shape of the graph; statuses and partial dates are made by plans of its own kind.
 */
import cluster from 'node:cluster';
import { createServer } from 'node:http';
import { grafserv } from 'postgraphile/grafserv/node';
import { lambda, object } from 'postgraphile/grafast';
import { postgraphile } from 'postgraphile';
import { makePgService } from 'postgraphile/adaptors/pg';
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber';
import { extendSchema, gql } from 'postgraphile/utils';
import { databaseUrl, fieldStatuses, ready } from './data.mjs';

const shape = extendSchema((build) => {
  const numbers = build.input.pgRegistry.pgResources.citizen_number;
  return {
    typeDefs: gql`
      type PartialDate {
        value: String
        precision: String
      }
      type CardInForce {
        number: String
      }
      type FieldStatus {
        field: String
        status: String
      }
      extend type Citizen {
        dateOfBirth: PartialDate
        cardInForce: CardInForce
        fieldStatuses: [FieldStatus]
      }
      extend type Query {
        citizen(personalId: String!): Citizen
      }
    `,
    objects: {
      Query: {
        plans: {
          citizen: (_, { $personalId }) => numbers.get({ value: $personalId }).singleRelation('citizen'),
        },
      },
      Citizen: {
        plans: {
          dateOfBirth: ($citizen) => object({ value: $citizen.get('born'), precision: $citizen.get('birth_precision') }),
          cardInForce: ($citizen) => object({ number: $citizen.get('number_in_force') }),
          fieldStatuses: ($citizen) => lambda($citizen.get('states'), fieldStatuses, true),
        },
      },
    },
  };
});

if (cluster.isPrimary) {
  let up = 0;
  for (let n = 0; n < 2; n += 1) cluster.fork();
  cluster.on('message', (_, port) => {
    up += 1;
    if (up === 2) ready(port);
  });
} else {
  const instance = postgraphile({
    extends: [PostGraphileAmberPreset],
    plugins: [shape],
    disablePlugins: ['NodePlugin'],
    pgServices: [makePgService({ connectionString: databaseUrl, schemas: ['postgraphile'], poolConfig: { max: 10 } })],
    grafast: { explain: false },
    grafserv: { graphqlPath: '/graphql', graphiql: false, watch: false, websockets: false },
  });
  const server = createServer();
  const serve = instance.createServ(grafserv);
  await serve.addTo(server);
  server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => process.send(server.address().port));
}
