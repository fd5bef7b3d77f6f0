import { unitId } from '#kernel/domain/ids.ts';
import { refusal } from '#kernel/errors/hub-error.ts';
import { askedIn, countsOnly, type AskedOfEntity } from '#kernel/graph/asked.ts';
import { mutationPayload } from '#kernel/graph/mutation-payload.ts';
import { countResolvers } from '#kernel/records/record-page.ts';
import type { PageArguments, RecordRow, Reference } from '#kernel/records/records.ts';
import type { UndoChange } from '#kernel/records/undo.ts';
import type { OpenSubgraph, SubgraphContext } from '#kernel/subgraph.ts';
import type { GraphQLResolveInfo } from 'graphql';
import type {
  CreateReexamination,
  CreateReferral,
  SlipChanges,
  UpdateReexamination,
  UpdateReferral,
  WithdrawSlip,
} from './changes.ts';
import type { ReexaminationSlip, ReferralSlip, SlipFilter, Slips } from './slips.ts';

export interface SlipsContext extends SubgraphContext {
  readonly slips: Slips;
  readonly ofCitizen: AskedOfEntity;
  /** Absent in a process that was given no way to write. */
  readonly changes: SlipChanges | null;
}

interface Given<Input> {
  readonly input: Input;
}

/** A slip that was changed: its id. */
interface Changed {
  readonly slip: string;
}

function writing({ changes }: SlipsContext): SlipChanges {
  if (changes === null) throw refusal('DATABASE_AWAY', { cause: new Error('this process was opened without changes') });
  return changes;
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
      asking(context, info).referrals.list(filter ?? {}, { ...page, countsOnly: countsOnly(info) }),
    reexaminationSlip: (_: unknown, { id }: Reference, context: SlipsContext, info: GraphQLResolveInfo) =>
      asking(context, info).reexaminations.find(id),
    reexaminationSlips: (_: unknown, { filter, ...page }: ListArguments, context: SlipsContext, info: GraphQLResolveInfo) =>
      asking(context, info).reexaminations.list(filter ?? {}, { ...page, countsOnly: countsOnly(info) }),
  },
  Mutation: {
    createReferralSlip: async (_: unknown, { input }: Given<CreateReferral>, context: SlipsContext) =>
      mutationPayload(await writing(context).referrals.create(context.call.caller, input), context.call),
    updateReferralSlip: async (_: unknown, { input }: Given<UpdateReferral>, context: SlipsContext) =>
      mutationPayload(await writing(context).referrals.update(context.call.caller, input), context.call),
    withdrawReferralSlip: async (_: unknown, { input }: Given<WithdrawSlip>, context: SlipsContext) =>
      mutationPayload(await writing(context).referrals.withdraw(context.call.caller, input), context.call),
    undoReferralSlipChange: async (_: unknown, { input }: Given<UndoChange>, context: SlipsContext) =>
      mutationPayload(await writing(context).referrals.undo(context.call.caller, input), context.call),
    createReexaminationSlip: async (_: unknown, { input }: Given<CreateReexamination>, context: SlipsContext) =>
      mutationPayload(await writing(context).reexaminations.create(context.call.caller, input), context.call),
    updateReexaminationSlip: async (_: unknown, { input }: Given<UpdateReexamination>, context: SlipsContext) =>
      mutationPayload(await writing(context).reexaminations.update(context.call.caller, input), context.call),
    withdrawReexaminationSlip: async (_: unknown, { input }: Given<WithdrawSlip>, context: SlipsContext) =>
      mutationPayload(await writing(context).reexaminations.withdraw(context.call.caller, input), context.call),
    undoReexaminationSlipChange: async (_: unknown, { input }: Given<UndoChange>, context: SlipsContext) =>
      mutationPayload(await writing(context).reexaminations.undo(context.call.caller, input), context.call),
  },
  ChangedReferralSlip: {
    referralSlip: ({ slip }: Changed, _: unknown, context: SlipsContext, info: GraphQLResolveInfo) =>
      asking(context, info).referrals.find(slip),
  },
  ChangedReexaminationSlip: {
    reexaminationSlip: ({ slip }: Changed, _: unknown, context: SlipsContext, info: GraphQLResolveInfo) =>
      asking(context, info).reexaminations.find(slip),
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
    asOf: (slip: ReferralSlip, { at }: { readonly at: unknown }, { slips }: SlipsContext) => slips.referrals.asOf(slip, at),
  },
  ReexaminationSlip: {
    citizen: (slip: ReexaminationSlip, _: unknown, { slips }: SlipsContext) => slips.reexaminations.citizenOf(slip),
    orgUnit,
    __resolveReference: async ({ id }: Reference, context: SlipsContext, info: GraphQLResolveInfo) => {
      const slip = await asking(context, info).reexaminations.find(id);
      return slip === null ? null : { ...slip };
    },
    history: (slip: ReexaminationSlip, page: PageArguments, { slips }: SlipsContext) => slips.reexaminations.history(slip, page),
    asOf: (slip: ReexaminationSlip, { at }: { readonly at: unknown }, { slips }: SlipsContext) =>
      slips.reexaminations.asOf(slip, at),
  },
  ReferralSlipConnection: countResolvers,
  ReexaminationSlipConnection: countResolvers,
  ChangeConnection: countResolvers,
};
