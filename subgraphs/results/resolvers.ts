import { unitId } from '#kernel/domain/ids.ts';
import { refusal } from '#kernel/errors/hub-error.ts';
import { askedIn, countsOnly, type AskedOfEntity } from '#kernel/graph/asked.ts';
import { mutationPayload } from '#kernel/graph/mutation-payload.ts';
import { countResolvers } from '#kernel/records/record-page.ts';
import type { PageArguments, Reference } from '#kernel/records/records.ts';
import type { UndoChange } from '#kernel/records/undo.ts';
import type { OpenSubgraph, SubgraphContext } from '#kernel/subgraph.ts';
import type { GraphQLResolveInfo } from 'graphql';
import type { CreateResult, ResultChanges, UpdateResult, WithdrawResult } from './changes.ts';
import type { DigitizedResult, ResultFilter, Results } from './results.ts';

export interface ResultsContext extends SubgraphContext {
  readonly results: Results;
  readonly ofCitizen: AskedOfEntity;
  /** Absent in a process that was given no way to write. */
  readonly changes: ResultChanges | null;
}

interface Given<Input> {
  readonly input: Input;
}

function writing({ changes }: ResultsContext): ResultChanges {
  if (changes === null) throw refusal('DATABASE_AWAY', { cause: new Error('this process was opened without changes') });
  return changes;
}

const asking = ({ results }: ResultsContext, info: GraphQLResolveInfo): Results => results.asking(askedIn(info));

/** GraphQL ⇄ service; no rule. A citizen's parent value is his id alone: whoever made it has checked that he is in scope. */
export const resolvers: OpenSubgraph['resolvers'] = {
  Query: {
    digitizedResult: (
      _: unknown,
      { id, code }: { id?: string | null; code?: string | null },
      context: ResultsContext,
      info: GraphQLResolveInfo,
    ) => {
      if (typeof id === 'string' && typeof code !== 'string') return asking(context, info).result(id);
      if (typeof code === 'string' && typeof id !== 'string') return asking(context, info).resultByCode(code);
      throw refusal('LOOKUP_ONE_KEY', { field: 'code' });
    },
    digitizedResults: (
      _: unknown,
      { filter, ...page }: { filter?: ResultFilter | null } & PageArguments,
      context: ResultsContext,
      info: GraphQLResolveInfo,
    ) => asking(context, info).list(filter ?? {}, { ...page, countsOnly: countsOnly(info) }),
  },
  Mutation: {
    createDigitizedResult: async (_: unknown, { input }: Given<CreateResult>, context: ResultsContext) =>
      mutationPayload(await writing(context).create(context.call.caller, input), context.call),
    updateDigitizedResult: async (_: unknown, { input }: Given<UpdateResult>, context: ResultsContext) =>
      mutationPayload(await writing(context).update(context.call.caller, input), context.call),
    withdrawDigitizedResult: async (_: unknown, { input }: Given<WithdrawResult>, context: ResultsContext) =>
      mutationPayload(await writing(context).withdraw(context.call.caller, input), context.call),
    undoDigitizedResultChange: async (_: unknown, { input }: Given<UndoChange>, context: ResultsContext) =>
      mutationPayload(await writing(context).undo(context.call.caller, input), context.call),
  },
  ChangedDigitizedResult: {
    digitizedResult: (
      { digitizedResult }: { readonly digitizedResult: string },
      _: unknown,
      context: ResultsContext,
      info: GraphQLResolveInfo,
    ) => asking(context, info).result(digitizedResult),
  },
  Citizen: {
    __resolveReference: ({ id }: Reference, context: ResultsContext, info: GraphQLResolveInfo) =>
      asking(context, info).citizen(id, context.ofCitizen.at(info).of('digitizedResults')),
    digitizedResults: ({ id }: Reference, page: PageArguments, { results }: ResultsContext) => results.resultsOf(id, page),
  },
  DigitizedResult: {
    __resolveReference: async ({ id }: Reference, context: ResultsContext, info: GraphQLResolveInfo) => {
      const result = await asking(context, info).result(id);
      return result === null ? null : { ...result };
    },
    citizen: (result: DigitizedResult, _: unknown, { results }: ResultsContext) => results.citizenOf(result),
    orgUnit: ({ unitNo }: DigitizedResult) => ({ id: unitId(unitNo) }),
    history: (result: DigitizedResult, page: PageArguments, { results }: ResultsContext) => results.history(result, page),
    asOf: (result: DigitizedResult, { at }: { readonly at: unknown }, { results }: ResultsContext) => results.asOf(result, at),
  },
  DigitizedResultConnection: countResolvers,
  ChangeConnection: countResolvers,
};
