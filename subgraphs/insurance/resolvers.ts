import { unitId } from '#kernel/domain/ids.ts';
import { refusal } from '#kernel/errors/hub-error.ts';
import { countResolvers } from '#kernel/records/record-page.ts';
import type { PageArguments } from '#kernel/records/records.ts';
import type { OpenSubgraph, SubgraphContext } from '#kernel/subgraph.ts';
import type { Card, CardFilter, Insurance } from './insurance.ts';

export interface InsuranceContext extends SubgraphContext {
  readonly insurance: Insurance;
}

interface Reference {
  readonly id: string;
}

/** GraphQL ⇄ service; no rule. A citizen's parent value is his id alone: whoever made it has checked that he is in scope. */
export const resolvers: OpenSubgraph['resolvers'] = {
  Query: {
    insuranceCard: (
      _: unknown,
      { id, number }: { id?: string | null; number?: string | null },
      { insurance }: InsuranceContext,
    ) => {
      if (typeof id === 'string' && typeof number !== 'string') return insurance.card(id);
      if (typeof number === 'string' && typeof id !== 'string') return insurance.cardByNumber(number);
      throw refusal('LOOKUP_ONE_KEY', { field: 'number' });
    },
    insuranceCards: (
      _: unknown,
      { filter, ...page }: { filter?: CardFilter | null } & PageArguments,
      { insurance }: InsuranceContext,
    ) => insurance.list(filter ?? {}, page),
  },
  Citizen: {
    __resolveReference: async ({ id }: Reference, { insurance }: InsuranceContext) =>
      (await insurance.knows(id)) ? { id } : null,
    insuranceCards: ({ id }: Reference, _: unknown, { insurance }: InsuranceContext) => insurance.cardsOf(id),
    cardInForce: ({ id }: Reference, { at }: { at?: unknown }, { insurance }: InsuranceContext) => insurance.cardInForce(id, at),
  },
  InsuranceCard: {
    __resolveReference: async ({ id }: Reference, { insurance }: InsuranceContext) => {
      const card = await insurance.card(id);
      return card === null ? null : { ...card };
    },
    citizen: (card: Card, _: unknown, { insurance }: InsuranceContext) => insurance.citizenOf(card),
    orgUnit: ({ unitNo }: Card) => ({ id: unitId(unitNo) }),
    history: (card: Card, page: PageArguments, { insurance }: InsuranceContext) => insurance.history(card, page),
  },
  InsuranceCardConnection: countResolvers,
  ChangeConnection: countResolvers,
};
