import { unitId } from '#kernel/domain/ids.ts';
import { refusal } from '#kernel/errors/hub-error.ts';
import { askedIn } from '#kernel/graph/asked.ts';
import { countResolvers } from '#kernel/records/record-page.ts';
import type { PageArguments, Reference } from '#kernel/records/records.ts';
import type { OpenSubgraph, SubgraphContext } from '#kernel/subgraph.ts';
import type { GraphQLResolveInfo } from 'graphql';
import type { Card, CardFilter, Insurance } from './insurance.ts';

export interface InsuranceContext extends SubgraphContext {
  readonly insurance: Insurance;
}

const asking = ({ insurance }: InsuranceContext, info: GraphQLResolveInfo): Insurance => insurance.asking(askedIn(info));

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
    ) => asking(context, info).list(filter ?? {}, page),
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
  },
  InsuranceCardConnection: countResolvers,
  ChangeConnection: countResolvers,
};
