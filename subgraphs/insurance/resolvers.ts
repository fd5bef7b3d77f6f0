import { unitId } from '#kernel/domain/ids.ts';
import { refusal } from '#kernel/errors/hub-error.ts';
import { askedIn, countsOnly } from '#kernel/graph/asked.ts';
import { mutationPayload } from '#kernel/graph/mutation-payload.ts';
import { countResolvers } from '#kernel/records/record-page.ts';
import type { PageArguments, Reference } from '#kernel/records/records.ts';
import type { UndoChange } from '#kernel/records/undo.ts';
import type { OpenSubgraph, SubgraphContext } from '#kernel/subgraph.ts';
import type { GraphQLResolveInfo } from 'graphql';
import type { CardChanges, CreateCard, UpdateCard, WithdrawCard } from './changes.ts';
import type { Card, CardFilter, Insurance } from './insurance.ts';

export interface InsuranceContext extends SubgraphContext {
  readonly insurance: Insurance;
  /** Absent in a process that was given no way to write. */
  readonly changes: CardChanges | null;
}

const asking = ({ insurance }: InsuranceContext, info: GraphQLResolveInfo): Insurance => insurance.asking(askedIn(info));

interface Given<Input> {
  readonly input: Input;
}

function writing({ changes }: InsuranceContext): CardChanges {
  if (changes === null) throw refusal('DATABASE_AWAY', { cause: new Error('this process was opened without changes') });
  return changes;
}

/** GraphQL ⇄ service; no rule. A citizen's parent value is his id alone: whoever made it has checked that he is in scope. */
export const resolvers: OpenSubgraph['resolvers'] = {
  Query: {
    insuranceCard: (
      _: unknown,
      { id, number }: { id?: string | null; number?: string | null },
      context: InsuranceContext,
      info: GraphQLResolveInfo,
    ) => {
      if (typeof id === 'string' && typeof number !== 'string') return asking(context, info).card(id);
      if (typeof number === 'string' && typeof id !== 'string') return asking(context, info).cardByNumber(number);
      throw refusal('LOOKUP_ONE_KEY', { field: 'number' });
    },
    insuranceCards: (
      _: unknown,
      { filter, ...page }: { filter?: CardFilter | null } & PageArguments,
      context: InsuranceContext,
      info: GraphQLResolveInfo,
    ) => asking(context, info).list(filter ?? {}, { ...page, countsOnly: countsOnly(info) }),
  },
  Mutation: {
    createInsuranceCard: async (_: unknown, { input }: Given<CreateCard>, context: InsuranceContext) =>
      mutationPayload(await writing(context).create(context.call.caller, input), context.call),
    updateInsuranceCard: async (_: unknown, { input }: Given<UpdateCard>, context: InsuranceContext) =>
      mutationPayload(await writing(context).update(context.call.caller, input), context.call),
    withdrawInsuranceCard: async (_: unknown, { input }: Given<WithdrawCard>, context: InsuranceContext) =>
      mutationPayload(await writing(context).withdraw(context.call.caller, input), context.call),
    undoInsuranceCardChange: async (_: unknown, { input }: Given<UndoChange>, context: InsuranceContext) =>
      mutationPayload(await writing(context).undo(context.call.caller, input), context.call),
  },
  ChangedInsuranceCard: {
    insuranceCard: (
      { insuranceCard }: { readonly insuranceCard: string },
      _: unknown,
      context: InsuranceContext,
      info: GraphQLResolveInfo,
    ) => asking(context, info).card(insuranceCard),
  },
  Citizen: {
    __resolveReference: ({ id }: Reference, context: InsuranceContext, info: GraphQLResolveInfo) =>
      asking(context, info).citizen(id),
    insuranceCards: ({ id }: Reference, _: unknown, { insurance }: InsuranceContext) => insurance.cardsOf(id),
    cardInForce: ({ id }: Reference, { at }: { at?: unknown }, { insurance }: InsuranceContext) => insurance.cardInForce(id, at),
  },
  InsuranceCard: {
    __resolveReference: async ({ id }: Reference, context: InsuranceContext, info: GraphQLResolveInfo) => {
      const card = await asking(context, info).card(id);
      return card === null ? null : { ...card };
    },
    citizen: (card: Card, _: unknown, { insurance }: InsuranceContext) => insurance.citizenOf(card),
    orgUnit: ({ unitNo }: Card) => ({ id: unitId(unitNo) }),
    history: (card: Card, page: PageArguments, { insurance }: InsuranceContext) => insurance.history(card, page),
    asOf: (card: Card, { at }: { readonly at: unknown }, { insurance }: InsuranceContext) => insurance.asOf(card, at),
  },
  InsuranceCardConnection: countResolvers,
  ChangeConnection: countResolvers,
};
