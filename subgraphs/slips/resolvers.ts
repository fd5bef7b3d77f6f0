import { unitId } from '#kernel/domain/ids.ts';
import { askedOf } from '#kernel/graph/asked.ts';
import { countResolvers } from '#kernel/records/record-page.ts';
import type { PageArguments, RecordRow } from '#kernel/records/records.ts';
import type { OpenSubgraph, SubgraphContext } from '#kernel/subgraph.ts';
import type { GraphQLResolveInfo } from 'graphql';
import type { ReexaminationSlip, ReferralSlip, SlipFilter, Slips } from './slips.ts';

export interface SlipsContext extends SubgraphContext {
  readonly slips: Slips;
}

interface Reference {
  readonly id: string;
}
type ListArguments = { readonly filter?: SlipFilter | null } & PageArguments;

const orgUnit = ({ unitNo }: RecordRow) => (unitNo === null ? null : { id: unitId(unitNo) });

/** GraphQL ⇄ service; no rule. A citizen's parent value is his id alone: whoever made it has checked that he is in scope. */
export const resolvers: OpenSubgraph['resolvers'] = {
  Query: {
    referralSlip: (_: unknown, { id }: Reference, { slips }: SlipsContext) => slips.referrals.find(id),
    referralSlips: (_: unknown, { filter, ...page }: ListArguments, { slips }: SlipsContext) =>
      slips.referrals.list(filter ?? {}, page),
    reexaminationSlip: (_: unknown, { id }: Reference, { slips }: SlipsContext) => slips.reexaminations.find(id),
    reexaminationSlips: (_: unknown, { filter, ...page }: ListArguments, { slips }: SlipsContext) =>
      slips.reexaminations.list(filter ?? {}, page),
  },
  Citizen: {
    __resolveReference: async ({ id }: Reference, context: SlipsContext, info: GraphQLResolveInfo) => {
      const asked = askedOf('Citizen', context, info);
      const pages = (field: string): readonly PageArguments[] =>
        asked.filter(({ name }) => name === field).map(({ args }) => args);
      const known = await context.slips.knows(id, {
        referrals: pages('referralSlips'),
        reexaminations: pages('reexaminationSlips'),
      });
      return known ? { id } : null;
    },
    referralSlips: ({ id }: Reference, page: PageArguments, { slips }: SlipsContext) => slips.referrals.of(id, page),
    reexaminationSlips: ({ id }: Reference, page: PageArguments, { slips }: SlipsContext) => slips.reexaminations.of(id, page),
  },
  ReferralSlip: {
    citizen: (slip: ReferralSlip, _: unknown, { slips }: SlipsContext) => slips.referrals.citizenOf(slip),
    orgUnit,
    __resolveReference: async ({ id }: Reference, { slips }: SlipsContext) => {
      const slip = await slips.referrals.find(id);
      return slip === null ? null : { ...slip };
    },
    history: (slip: ReferralSlip, page: PageArguments, { slips }: SlipsContext) => slips.referrals.history(slip, page),
  },
  ReexaminationSlip: {
    citizen: (slip: ReexaminationSlip, _: unknown, { slips }: SlipsContext) => slips.reexaminations.citizenOf(slip),
    orgUnit,
    __resolveReference: async ({ id }: Reference, { slips }: SlipsContext) => {
      const slip = await slips.reexaminations.find(id);
      return slip === null ? null : { ...slip };
    },
    history: (slip: ReexaminationSlip, page: PageArguments, { slips }: SlipsContext) => slips.reexaminations.history(slip, page),
  },
  ReferralSlipConnection: countResolvers,
  ReexaminationSlipConnection: countResolvers,
  ChangeConnection: countResolvers,
};
