import { unitId } from '#kernel/domain/ids.ts';
import { refusal } from '#kernel/errors/hub-error.ts';
import { askedOf } from '#kernel/graph/asked.ts';
import { countResolvers } from '#kernel/records/record-page.ts';
import type { PageArguments } from '#kernel/records/records.ts';
import type { OpenSubgraph, SubgraphContext } from '#kernel/subgraph.ts';
import type { GraphQLResolveInfo } from 'graphql';
import type { DigitizedResult, ResultFilter, Results } from './results.ts';

export interface ResultsContext extends SubgraphContext {
  readonly results: Results;
}

interface Reference {
  readonly id: string;
}

/** GraphQL ⇄ service; no rule. A citizen's parent value is his id alone: whoever made it has checked that he is in scope. */
export const resolvers: OpenSubgraph['resolvers'] = {
  Query: {
    digitizedResult: (_: unknown, { id, code }: { id?: string | null; code?: string | null }, { results }: ResultsContext) => {
      if (typeof id === 'string' && typeof code !== 'string') return results.result(id);
      if (typeof code === 'string' && typeof id !== 'string') return results.resultByCode(code);
      throw refusal('LOOKUP_ONE_KEY', { field: 'code' });
    },
    digitizedResults: (
      _: unknown,
      { filter, ...page }: { filter?: ResultFilter | null } & PageArguments,
      { results }: ResultsContext,
    ) => results.list(filter ?? {}, page),
  },
  Citizen: {
    __resolveReference: async ({ id }: Reference, context: ResultsContext, info: GraphQLResolveInfo) => {
      const pages = askedOf('Citizen', context, info).filter(({ name }) => name === 'digitizedResults');
      return (await context.results.knows(
        id,
        pages.map(({ args }) => args),
      ))
        ? { id }
        : null;
    },
    digitizedResults: ({ id }: Reference, page: PageArguments, { results }: ResultsContext) => results.resultsOf(id, page),
  },
  DigitizedResult: {
    __resolveReference: async ({ id }: Reference, { results }: ResultsContext) => {
      const result = await results.result(id);
      return result === null ? null : { ...result };
    },
    citizen: (result: DigitizedResult, _: unknown, { results }: ResultsContext) => results.citizenOf(result),
    orgUnit: ({ unitNo }: DigitizedResult) => ({ id: unitId(unitNo) }),
    history: (result: DigitizedResult, page: PageArguments, { results }: ResultsContext) => results.history(result, page),
  },
  DigitizedResultConnection: countResolvers,
  ChangeConnection: countResolvers,
};
