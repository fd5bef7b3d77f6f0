import { unitId } from '#kernel/domain/ids.ts';
import type { SettingInForce } from '#kernel/config-in-force.ts';
import { refusal } from '#kernel/errors/hub-error.ts';
import { countsOnly } from '#kernel/graph/asked.ts';
import { mutationPayload } from '#kernel/graph/mutation-payload.ts';
import { countResolvers } from '#kernel/records/record-page.ts';
import type { PageArguments } from '#kernel/records/records.ts';
import type { UndoChange } from '#kernel/records/undo.ts';
import type { OpenSubgraph, SubgraphContext } from '#kernel/subgraph.ts';
import type { GraphQLResolveInfo } from 'graphql';
import type { AccountChanges } from './account-changes.ts';
import { accountMutations, accountQueries, accountTypes } from './account-resolvers.ts';
import type { Account, Client } from './accounts.ts';
import type { AuditFilter } from './audit-log.ts';
import type { ExportDesk, ExportRecord, StartExport } from './export-desk.ts';
import type { ApplyImport, ImportDesk, ImportRecord, StartImport } from './import-desk.ts';
import type { Organisation } from './organisation.ts';
import type { RunInput, RunOrder, RunOrders } from './run-orders.ts';
import type { Run } from './runs.ts';
import type { CreateUnit, UnitChanges, UpdateUnit, WithdrawUnit } from './unit-changes.ts';
import type { UnitRow } from './units.ts';
import type { WorkItem, WorkItemFilter } from './work-items.ts';

export interface OrganisationContext extends SubgraphContext {
  readonly organisation: Organisation;
  /** Absent in a process that was given no way to write. */
  readonly unitChanges: UnitChanges | null;
  readonly runOrders: RunOrders | null;
  readonly accountChanges: AccountChanges | null;
  readonly importDesk: ImportDesk | null;
  readonly exportDesk: ExportDesk | null;
}

function desk({ importDesk }: OrganisationContext): ImportDesk {
  if (importDesk === null) throw refusal('DATABASE_AWAY', { cause: new Error('this process was opened without changes') });
  return importDesk;
}

interface Given<Input> {
  readonly input: Input;
}

function writing({ unitChanges }: OrganisationContext): UnitChanges {
  if (unitChanges === null) throw refusal('DATABASE_AWAY', { cause: new Error('this process was opened without changes') });
  return unitChanges;
}

const ordered =
  (order: RunOrder) =>
  async (_: unknown, { input }: Given<RunInput>, { runOrders, call }: OrganisationContext) => {
    if (runOrders === null) throw refusal('DATABASE_AWAY', { cause: new Error('this process was opened without changes') });
    return mutationPayload(await runOrders.give(call.caller, order, input), call);
  };

/** A unit as the graph has it. Units are held in memory for all callers, so each answer gets an object of its own. */
interface UnitNode {
  readonly id: string;
  readonly number: number;
  readonly code: string;
  readonly name: string;
  readonly level: string;
  readonly parentNumber: number | null;
  readonly version: number;
  readonly validFrom: string;
  readonly validTo: string | null;
}

function unitNode({ parent, ...unit }: UnitRow): UnitNode {
  return { ...unit, id: unitId(unit.number), parentNumber: parent };
}

function nodeOf(unit: UnitRow | null | Promise<UnitRow | null>): UnitNode | null | Promise<UnitNode | null> {
  if (unit === null) return null;
  return unit instanceof Promise ? unit.then((found) => (found === null ? null : unitNode(found))) : unitNode(unit);
}

/** GraphQL ⇄ service; no rule. */
export const resolvers: OpenSubgraph['resolvers'] = {
  Query: {
    ...accountQueries,
    me: (_: unknown, __: unknown, { organisation }: OrganisationContext) => {
      const { id, name, kind, role, permissions, unitNo } = organisation.caller.principal;
      return { id, name, kind, role, permissions, unitNo, purpose: organisation.caller.purpose };
    },
    orgUnits: async (
      _: unknown,
      { parent, ended }: { parent?: string | null; ended?: boolean | null },
      { organisation }: OrganisationContext,
    ) => (await organisation.orgUnits(parent ?? null, { ended: ended === true })).map(unitNode),
    workItems: (
      _: unknown,
      { filter, ...page }: { filter?: WorkItemFilter | null } & PageArguments,
      { organisation }: OrganisationContext,
      info: GraphQLResolveInfo,
    ) => organisation.workItems(filter ?? {}, { ...page, countsOnly: countsOnly(info) }),
    workCounts: (_: unknown, { orgUnit }: { readonly orgUnit?: string | null }, { organisation }: OrganisationContext) =>
      organisation.workCounts(orgUnit ?? null),
    run: (_: unknown, { id }: { readonly id: string }, { organisation }: OrganisationContext) => organisation.run(id),
    syncRuns: (_: unknown, page: PageArguments, { organisation }: OrganisationContext) => organisation.runs('RECONCILE', page),
    settings: (_: unknown, __: unknown, { organisation }: OrganisationContext) => organisation.settings(),
    queues: (_: unknown, __: unknown, { organisation }: OrganisationContext) => organisation.queues(),
    import: (_: unknown, { id }: { id: string }, { organisation }: OrganisationContext) => organisation.import(id),
    imports: (_: unknown, page: PageArguments, { organisation }: OrganisationContext) => organisation.runs('IMPORT', page),
    export: (_: unknown, { id }: { id: string }, { organisation }: OrganisationContext) => organisation.export(id),
    exports: (_: unknown, page: PageArguments, { organisation }: OrganisationContext) => organisation.runs('EXPORT', page),
    auditEvents: (
      _: unknown,
      { filter, ...page }: { filter?: AuditFilter | null } & PageArguments,
      { organisation }: OrganisationContext,
      info: GraphQLResolveInfo,
    ) => organisation.auditEvents(filter ?? {}, { ...page, countsOnly: countsOnly(info) }),
  },
  Mutation: {
    ...accountMutations,
    startImport: async (_: unknown, { input }: Given<StartImport>, context: OrganisationContext) =>
      mutationPayload(await desk(context).start(context.call.caller, input), context.call),
    applyImport: async (_: unknown, { input }: Given<ApplyImport>, context: OrganisationContext) =>
      mutationPayload(await desk(context).apply(context.call.caller, input), context.call),
    startExport: async (_: unknown, { input }: Given<StartExport>, { exportDesk, call }: OrganisationContext) => {
      if (exportDesk === null) throw refusal('DATABASE_AWAY', { cause: new Error('this process was opened without changes') });
      return mutationPayload(await exportDesk.start(call.caller, input), call);
    },
    createOrgUnit: async (_: unknown, { input }: Given<CreateUnit>, context: OrganisationContext) =>
      mutationPayload(await writing(context).create(context.call.caller, input), context.call),
    updateOrgUnit: async (_: unknown, { input }: Given<UpdateUnit>, context: OrganisationContext) =>
      mutationPayload(await writing(context).update(context.call.caller, input), context.call),
    withdrawOrgUnit: async (_: unknown, { input }: Given<WithdrawUnit>, context: OrganisationContext) =>
      mutationPayload(await writing(context).withdraw(context.call.caller, input), context.call),
    undoOrgUnitChange: async (_: unknown, { input }: Given<UndoChange>, context: OrganisationContext) =>
      mutationPayload(await writing(context).undo(context.call.caller, input), context.call),
    pauseRun: ordered('pauseRun'),
    resumeRun: ordered('resumeRun'),
    cancelRun: ordered('cancelRun'),
    rerunFailed: ordered('rerunFailed'),
    dropFailed: ordered('dropFailed'),
  },
  ...accountTypes,
  Account: {
    orgUnit: ({ unitNo }: Account, _: unknown, { organisation }: OrganisationContext) =>
      nodeOf(organisation.unitByNumber(unitNo)),
  },
  SettingInForce: {
    meaning: ({ meaning }: SettingInForce, _: unknown, { organisation }: OrganisationContext) =>
      meaning[organisation.caller.locale],
  },
  Client: {
    orgUnit: ({ unitNo }: Client, _: unknown, { organisation }: OrganisationContext) => nodeOf(organisation.unitByNumber(unitNo)),
  },
  ChangedRun: {
    run: ({ run }: { readonly run: string }, _: unknown, { organisation }: OrganisationContext) => organisation.run(run),
  },
  ChangedOrgUnit: {
    orgUnit: ({ orgUnit }: { readonly orgUnit: string }, _: unknown, { organisation }: OrganisationContext) =>
      nodeOf(organisation.unit(orgUnit)),
  },
  StartedImport: {
    import: ({ import: id }: { readonly import: string }, _: unknown, { organisation }: OrganisationContext) =>
      organisation.import(id),
    upload: (started: { readonly import: string; readonly expiresAt: string }, _: unknown, context: OrganisationContext) =>
      desk(context).link(started),
  },
  AppliedImport: {
    import: ({ import: id }: { readonly import: string }, _: unknown, { organisation }: OrganisationContext) =>
      organisation.import(id),
    run: ({ run }: { readonly run: string }, _: unknown, { organisation }: OrganisationContext) => organisation.run(run),
  },
  StartedExport: {
    export: ({ export: id }: { readonly export: string }, _: unknown, { organisation }: OrganisationContext) =>
      organisation.export(id),
  },
  Export: {
    run: ({ runId }: ExportRecord, _: unknown, { organisation }: OrganisationContext) => organisation.run(runId),
    file: (file: ExportRecord, _: unknown, { organisation, exportDesk }: OrganisationContext) =>
      exportDesk?.link(organisation.caller, file) ?? null,
  },
  Import: {
    run: ({ runId }: ImportRecord, _: unknown, { organisation }: OrganisationContext) =>
      runId === null ? null : organisation.run(runId),
    refusedRows: (file: ImportRecord, _: unknown, { organisation }: OrganisationContext) => organisation.refusedRows(file),
    refusedFile: async (file: ImportRecord, _: unknown, { organisation, importDesk }: OrganisationContext) =>
      importDesk?.refusedLink(organisation.caller, file, await organisation.refusedCount(file)) ?? null,
  },
  Principal: {
    orgUnit: ({ unitNo }: { unitNo: number }, _: unknown, { organisation }: OrganisationContext) =>
      nodeOf(organisation.unitByNumber(unitNo)),
  },
  OrgUnit: {
    __resolveReference: ({ id }: { id: string }, { organisation }: OrganisationContext) => nodeOf(organisation.unit(id)),
    parent: ({ parentNumber }: UnitNode, _: unknown, { organisation }: OrganisationContext) =>
      parentNumber === null ? null : nodeOf(organisation.unitByNumber(parentNumber)),
    children: async ({ number }: UnitNode, _: unknown, { organisation }: OrganisationContext) =>
      (await organisation.unitsBelow(number, { ended: false })).map(unitNode),
    history: ({ number }: UnitNode, page: PageArguments, { organisation }: OrganisationContext) =>
      organisation.unitHistory(number, page),
    asOf: ({ number }: UnitNode, { at }: { readonly at: unknown }, { organisation }: OrganisationContext) =>
      organisation.unitAsOf(number, at),
  },
  WorkItem: {
    citizen: (item: WorkItem, _: unknown, { organisation }: OrganisationContext) => organisation.citizenOf(item),
    orgUnit: ({ unitNo }: WorkItem, _: unknown, { organisation }: OrganisationContext) =>
      nodeOf(organisation.unitByNumber(unitNo)),
  },
  ChangeConnection: countResolvers,
  WorkItemConnection: countResolvers,
  Run: {
    counts: ({ counts }: Run) => Object.entries(counts).map(([name, value]) => ({ name, value })),
  },
  RunConnection: countResolvers,
  AuditEventConnection: countResolvers,
};
