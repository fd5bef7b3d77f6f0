import { unitId } from '#kernel/domain/ids.ts';
import { askedIn, type AskedOfEntity } from '#kernel/graph/asked.ts';
import { countResolvers } from '#kernel/records/record-page.ts';
import type { PageArguments, RecordRow, Reference } from '#kernel/records/records.ts';
import type { OpenSubgraph, SubgraphContext } from '#kernel/subgraph.ts';
import type { GraphQLResolveInfo } from 'graphql';
import type { ReexaminationSlip, ReferralSlip, SlipFilter, Slips } from './slips.ts';

export interface SlipsContext extends SubgraphContext {
  readonly slips: Slips;
  readonly ofCitizen: AskedOfEntity;
}

type ListArguments = { readonly filter?: SlipFilter | null } & PageArguments;

const asking = ({ slips }: SlipsContext, info: GraphQLResolveInfo): Slips => slips.asking(askedIn(info));
const orgUnit = ({ unitNo }: RecordRow) => (unitNo === null ? null : { id: unitId(unitNo) });

/** GraphQL ⇄ service; no rule. A citizen's parent value is his id alone: whoever made it has checked that he is in scope. */
export const resolvers: OpenSubgraph['resolvers'] = {
  Query: {
    referralSlip: (_: unknown, { id }: Reference, context: SlipsContext, info: GraphQLResolveInfo) =>
      asking(context, info).referrals.find(id),
    referralSlips: (_: unknown, { filter, ...page }: ListArguments, context: SlipsContext, info: GraphQLResolveInfo) =>
      asking(context, info).referrals.list(filter ?? {}, page),
    reexaminationSlip: (_: unknown, { id }: Reference, context: SlipsContext, info: GraphQLResolveInfo) =>
      asking(context, info).reexaminations.find(id),
    reexaminationSlips: (_: unknown, { filter, ...page }: ListArguments, context: SlipsContext, info: GraphQLResolveInfo) =>
      asking(context, info).reexaminations.list(filter ?? {}, page),
  },
  Citizen: {
    __resolveReference: ({ id }: Reference, context: SlipsContext, info: GraphQLResolveInfo) => {
      const place = context.ofCitizen.at(info);
      const pages = { referrals: place.of('referralSlips'), reexaminations: place.of('reexaminationSlips') };
      return asking(context, info).citizen(id, pages);
    },
    referralSlips: ({ id }: Reference, page: PageArguments, { slips }: SlipsContext) => slips.referrals.of(id, page),
    reexaminationSlips: ({ id }: Reference, page: PageArguments, { slips }: SlipsContext) => slips.reexaminations.of(id, page),
  },
  ReferralSlip: {
    citizen: (slip: ReferralSlip, _: unknown, { slips }: SlipsContext) => slips.referrals.citizenOf(slip),
    orgUnit,
    __resolveReference: async ({ id }: Reference, context: SlipsContext, info: GraphQLResolveInfo) => {
      const slip = await asking(context, info).referrals.find(id);
      return slip === null ? null : { ...slip };
    },
    history: (slip: ReferralSlip, page: PageArguments, { slips }: SlipsContext) => slips.referrals.history(slip, page),
  },
  ReexaminationSlip: {
    citizen: (slip: ReexaminationSlip, _: unknown, { slips }: SlipsContext) => slips.reexaminations.citizenOf(slip),
    orgUnit,
    __resolveReference: async ({ id }: Reference, context: SlipsContext, info: GraphQLResolveInfo) => {
      const slip = await asking(context, info).reexaminations.find(id);
      return slip === null ? null : { ...slip };
    },
    history: (slip: ReexaminationSlip, page: PageArguments, { slips }: SlipsContext) => slips.reexaminations.history(slip, page),
  },
  ReferralSlipConnection: countResolvers,
  ReexaminationSlipConnection: countResolvers,
  ChangeConnection: countResolvers,
};
