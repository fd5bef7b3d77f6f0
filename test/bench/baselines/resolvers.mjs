/*
 * Resolvers of the five subgraphs over a source of rows, with one loader per kind of record and request. The programs differ in how
 * they come by the rows and in how they serve.
 */
import DataLoader from 'dataloader';
import { cardInForce, decodeCursor, encodeCursor, fieldStatuses, partialDate, unitId, unitNumber } from './data.mjs';

const firstOf = (rows, first) => ({ nodes: rows.length > first ? rows.slice(0, first) : rows });

export function resolversOf(name) {
  switch (name) {
    case 'citizens':
      return {
        Query: {
          citizen: (_, { personalId }, { source }) => source.citizenByNumber(personalId),
          citizens: async (_, { first = 20, after }, { source }) => {
            const rows = await source.citizensAfter(decodeCursor(after), first + 1);
            const nodes = rows.slice(0, first);
            return {
              nodes,
              pageInfo: {
                endCursor: nodes.length === 0 ? null : encodeCursor(nodes.at(-1).id),
                hasNextPage: rows.length > first,
              },
            };
          },
        },
        Citizen: {
          orgUnit: ({ unitNo }) => ({ id: unitId(unitNo) }),
          dateOfBirth: partialDate,
          fieldStatuses: ({ states }) => fieldStatuses(states),
        },
      };
    case 'insurance':
      return {
        Citizen: {
          __resolveReference: ({ id }) => ({ id }),
          insuranceCards: ({ id }, _, { loaders }) => loaders.cards.load(id),
          cardInForce: async ({ id }, _, { loaders }) => cardInForce(await loaders.cards.load(id)),
        },
      };
    case 'results':
      return {
        Citizen: {
          __resolveReference: ({ id }) => ({ id }),
          digitizedResults: async ({ id }, { first = 20 }, { loaders }) => firstOf(await loaders.results.load(id), first),
        },
      };
    case 'slips':
      return {
        Citizen: {
          __resolveReference: ({ id }) => ({ id }),
          referralSlips: async ({ id }, { first = 20 }, { loaders }) => firstOf(await loaders.referrals.load(id), first),
          reexaminationSlips: async ({ id }, { first = 20 }, { loaders }) =>
            firstOf(await loaders.reexaminations.load(id), first),
        },
      };
    case 'organisation':
      return {
        OrgUnit: { __resolveReference: async ({ id }, { loaders }) => ({ id, name: await loaders.units.load(unitNumber(id)) }) },
      };
    default:
      throw new Error(`no subgraph ${name}`);
  }
}

/** Fresh for each request, as DataLoader wants it. */
export function loadersOf(source) {
  const many = (read) =>
    new DataLoader(async (ids) => {
      const groups = await read(ids);
      return ids.map((id) => groups.get(id) ?? []);
    });
  return {
    cards: many((ids) => source.cards(ids)),
    results: many((ids) => source.results(ids)),
    referrals: many((ids) => source.referrals(ids)),
    reexaminations: many((ids) => source.reexaminations(ids)),
    units: new DataLoader(async (numbers) => {
      const names = await source.units(numbers);
      return numbers.map((number) => names.get(number) ?? null);
    }),
  };
}
