import fc from 'fast-check';
import { isObjectType } from 'graphql';
import type { Client } from 'pg';
import { roles, type Permission, type Role } from '#kernel/auth/permissions.ts';
import { scopeOf } from '#kernel/auth/policy.ts';
import type { Caller } from '#kernel/auth/principal.ts';
import { clientSubject } from '#kernel/identifier-hash.ts';
import { coversUnit } from '#kernel/unit-scope.ts';
import { partsOf } from './probe-documents.ts';
import { openGatewaySchema } from './public-schema.ts';
import type { Probed, ProbedGraph, ProbeWorld, Row, ScopedTable } from './probe-world.ts';

/*
 * Random principal × place × operation × field. The oracle is `mayRead`, ten lines that anyone can review; it knows nothing of how
 * the hub reads.
 */

interface Kind {
  readonly tables: readonly string[];
  /** Of some kinds it depends on the row. */
  readonly permission: (row: Row) => Permission;
}

const always =
  (permission: Permission): Kind['permission'] =>
  () =>
    permission;

const runRights: Readonly<Record<string, Permission>> = { IMPORT: 'import:read', EXPORT: 'export:start' };

const changeRights: Readonly<Record<string, Permission>> = {
  'citizens.change': 'citizen:read',
  'insurance.change': 'card:read',
  'results.change': 'result:read',
  'slips.change': 'slip:read',
  'organisation.change': 'unit:read',
};

/** Records by their type in the graph. Units and the audit, which is written while one asks, are looked up apart. */
const kinds: Readonly<Record<string, Kind>> = {
  Citizen: { tables: ['citizens.citizen'], permission: always('citizen:read') },
  Discrepancy: { tables: ['citizens.discrepancy'], permission: always('discrepancy:read') },
  InsuranceCard: { tables: ['insurance.card'], permission: always('card:read') },
  DigitizedResult: { tables: ['results.result'], permission: always('result:read') },
  ReferralSlip: { tables: ['slips.referral_slip'], permission: always('slip:read') },
  ReexaminationSlip: { tables: ['slips.reexamination_slip'], permission: always('slip:read') },
  WorkItem: { tables: ['organisation.work_item'], permission: always('work:read') },
  Account: { tables: ['organisation.account'], permission: always('account:read') },
  Client: { tables: ['organisation.client'], permission: always('client:read') },
  Run: { tables: ['hub.run'], permission: ({ number }) => runRights[number ?? ''] ?? 'run:read' },
  Import: { tables: ['hub.import_file'], permission: always('import:read') },
  Export: { tables: ['hub.export_file'], permission: always('export:start') },
  Change: { tables: Object.keys(changeRights), permission: ({ table }) => changeRights[table] ?? 'audit:read' },
};

/** The rule of the house: the role has the right, and the row's unit (of a slip also its facility) lies in the caller's scope. */
export function mayRead(caller: Caller, permission: Permission, row: Row): boolean {
  const scope = scopeOf(caller, permission);
  if (scope === null) return false;
  const covered = [row.unitNo, row.facilityNo].some((unit) => unit !== null && coversUnit(scope.units, unit));
  return covered && (scope.citizenId === null || scope.citizenId === row.citizenId);
}

const schema = openGatewaySchema();

interface Target {
  readonly root: string;
  readonly type: string;
  /** One record, a page of them, or an answer about no single record. */
  readonly shape: 'one' | 'list' | 'plain';
  readonly argument: 'id' | 'number' | 'filter' | 'none';
  readonly permission: Permission | null;
}

const one = (root: string, type: string, permission: Permission, argument: 'id' | 'number' = 'id'): Target => ({
  ...{ root, type, permission, argument },
  shape: 'one',
});
const list = (root: string, type: string, permission: Permission, argument: 'filter' | 'none' = 'filter'): Target => ({
  ...{ root, type, permission, argument },
  shape: 'list',
});
const plain = (root: string, type: string, permission: Permission | null): Target => ({
  ...{ root, type, permission },
  shape: 'plain',
  argument: 'none',
});

export const targets: readonly Target[] = [
  one('citizen', 'Citizen', 'citizen:read'),
  one('citizen', 'Citizen', 'citizen:read', 'number'),
  list('citizens', 'Citizen', 'citizen:read'),
  one('insuranceCard', 'InsuranceCard', 'card:read'),
  one('insuranceCard', 'InsuranceCard', 'card:read', 'number'),
  list('insuranceCards', 'InsuranceCard', 'card:read'),
  one('digitizedResult', 'DigitizedResult', 'result:read'),
  one('digitizedResult', 'DigitizedResult', 'result:read', 'number'),
  list('digitizedResults', 'DigitizedResult', 'result:read'),
  one('referralSlip', 'ReferralSlip', 'slip:read'),
  list('referralSlips', 'ReferralSlip', 'slip:read'),
  one('reexaminationSlip', 'ReexaminationSlip', 'slip:read'),
  list('reexaminationSlips', 'ReexaminationSlip', 'slip:read'),
  list('discrepancies', 'Discrepancy', 'discrepancy:read'),
  list('workItems', 'WorkItem', 'work:read'),
  one('run', 'Run', 'export:start'),
  list('syncRuns', 'Run', 'run:read', 'none'),
  one('import', 'Import', 'import:read'),
  list('imports', 'Run', 'import:read', 'none'),
  one('export', 'Export', 'export:start'),
  list('exports', 'Run', 'export:start', 'none'),
  one('account', 'Account', 'account:read'),
  list('accounts', 'Account', 'account:read'),
  list('clients', 'Client', 'client:read', 'none'),
  list('auditEvents', 'AuditEvent', 'audit:read'),
  plain('orgUnits', 'OrgUnit', 'unit:read'),
  plain('me', 'Principal', null),
  plain('queues', 'Queue', 'run:read'),
  plain('settings', 'SettingInForce', 'setting:read'),
  plain('fieldCounts', 'FieldCount', 'citizen:read'),
  plain('workCounts', 'WorkCount', 'work:read'),
];

const parts = new Map([...new Set(targets.map(({ type }) => type))].map((type) => [type, partsOf(schema, type)]));

const numberArgument: Readonly<Record<string, string>> = {
  citizen: 'personalId',
  insuranceCard: 'number',
  digitizedResult: 'code',
};

const filterType: Readonly<Record<string, string>> = {
  citizens: 'CitizenFilter',
  insuranceCards: 'InsuranceCardFilter',
  digitizedResults: 'DigitizedResultFilter',
  referralSlips: 'SlipFilter',
  reexaminationSlips: 'SlipFilter',
  discrepancies: 'DiscrepancyFilter',
  workItems: 'WorkItemFilter',
  accounts: 'AccountFilter',
  auditEvents: 'AuditFilter',
};

/** Who asks, from where, for what. */
export interface Probe {
  readonly role: Role;
  readonly place: number;
  readonly target: Target;
  /** Which of the type's selections, as bits; a few hundred documents in all, so that most probes run compiled. */
  readonly fields: number;
  /** Which record, which unit of a filter. */
  readonly pick: number;
  readonly filter: 'none' | 'unit' | 'citizen';
  /** Of a list its sums alone. */
  readonly sums: boolean;
  /** Half of the probes of one record aim at one that the caller may see, else most would answer nothing. */
  readonly aim: boolean;
}

const maskCount = 3;

export function anyProbe(): fc.Arbitrary<Probe> {
  return fc.record({
    role: fc.constantFrom(...roles.filter((role) => role !== 'cli'), 'steward', 'centre', 'clerk', 'clerk', 'integrator'),
    place: fc.nat(1_000),
    target: fc.constantFrom(...targets),
    fields: fc.nat(maskCount - 1),
    pick: fc.nat(1_000_000),
    filter: fc.constantFrom('none', 'unit', 'citizen'),
    sums: fc.integer({ min: 0, max: 9 }).map((drawn) => drawn === 0),
    aim: fc.boolean(),
  });
}

export interface Outcome {
  /** What must never happen; empty is good. */
  readonly faults: readonly string[];
  readonly returnedRows: boolean;
}

/** Runs one probe and holds its answer against the tables. */
export async function runProbe(world: ProbeWorld, graph: ProbedGraph, probe: Probe): Promise<Outcome> {
  const { target } = probe;
  const caller = world.callerOf(probe.role, at(world.units, probe.place));
  const all = rowsOf(world, target.type).filter((row) => isListed(target, row));
  const own = all.filter((row) => mayRead(caller, permissionOf(target.type, row), row));
  const row = all.length === 0 ? null : at(probe.aim && own.length > 0 ? own : all, probe.pick);
  const { query, variables } = operationOf(world, probe, row);
  const answer = await graph.ask(caller, query, variables);
  const seen = recordsIn(answer.body.data);
  const faults: string[] = [];
  const events = await eventsOf(world, seen);
  for (const { type, id, told } of seen) {
    if (type === 'OrgUnit') {
      if (told && !maySee(world, caller, Number(id.slice(1)))) faults.push(`foreign unit ${id} for ${place(caller)}`);
      continue;
    }
    if (type === 'Principal') continue;
    const known = type === 'AuditEvent' ? events.get(id) : rowById(world, type, id);
    if (known === undefined) faults.push(`${type} ${id} is in no table`);
    else if (!mayRead(caller, permissionOf(type, known), known)) faults.push(`foreign ${type} for ${place(caller)}`);
  }
  if (row !== null) faults.push(...missed(caller, probe, row, answer));
  faults.push(...(await uncounted(world, caller, probe, own, answer)), ...(await unaudited(world, probe, answer, seen)));
  return { faults: faults.map((fault) => `${fault}: ${query} ${JSON.stringify(variables)}`), returnedRows: seen.length > 0 };
}

const rowsOf = (world: ProbeWorld, type: string): readonly Row[] =>
  (kinds[type]?.tables ?? []).flatMap((table) => world.rows.get(table) ?? []);

const permissionOf = (type: string, row: Row): Permission => kinds[type]?.permission(row) ?? 'audit:read';

/** Runs are listed by kind. */
function isListed({ root }: Target, { number }: Row): boolean {
  const kind = { syncRuns: 'RECONCILE', imports: 'IMPORT', exports: 'EXPORT' }[root];
  return kind === undefined || number === kind;
}

/** Units at, below and above one's own. */
function maySee(world: ProbeWorld, caller: Caller, unit: number): boolean {
  const { principal } = caller;
  return coversUnit(principal.scope, unit) || world.tree.below(unit).includes(principal.unitNo);
}

/** Events of the audit come while one asks: each is looked up when it is seen. */
async function eventsOf(world: ProbeWorld, seen: readonly Seen[]): Promise<ReadonlyMap<string, Row>> {
  const ids = seen.filter(({ type }) => type === 'AuditEvent').map(({ id }) => id);
  if (ids.length === 0) return new Map();
  const rows = await world.truth<Row>(
    `select 'hub.audit_event' as table, id::text as id, unit_no as "unitNo", null::int as "facilityNo", null as "citizenId", null as number
     from hub.audit_event where id = any($1::uuid[])`,
    [ids],
  );
  return new Map(rows.map((row) => [row.id, row]));
}

function place({ principal }: Caller): string {
  return `${principal.role} of unit ${principal.unitNo}`;
}

function at<T>(list: readonly T[], index: number): T {
  const found = list[index % list.length];
  if (found === undefined) throw new Error('empty list');
  return found;
}

const sumsOnly = '__typename totalCount totalCountIsEstimate';

/** `fields` is null: everything. */
function selectionOf(type: string, fields: number | null): string {
  const all = parts.get(type) ?? [];
  const drawn = fields === null ? all : all.filter((_, index) => (index + fields) % 3 === 0 || index === fields);
  return ['__typename', ...('id' in fieldsOf(type) ? ['id'] : []), ...drawn].join(' ');
}

function fieldsOf(type: string): object {
  const known = schema.getType(type);
  return isObjectType(known) ? known.getFields() : {};
}

/** Every document that a probe can ask. */
export function documents(): readonly string[] {
  return targets.flatMap((target) =>
    Array.from({ length: maskCount }, (_, fields) => documentOf(target, fields, false)).concat(documentOf(target, 0, true)),
  );
}

function documentOf({ root, type, shape, argument }: Target, fields: number, sums: boolean): string {
  if (shape === 'plain') return `{ ${root} { ${selectionOf(type, null)} } }`;
  const selection = selectionOf(type, fields);
  if (shape === 'one') {
    const byNumber = argument === 'number';
    return `query ($key: ${byNumber ? 'String' : 'ID!'}) { ${root}(${byNumber ? (numberArgument[root] ?? 'id') : 'id'}: $key) { ${selection} } }`;
  }
  const page = sums
    ? sumsOnly
    : `nodes { ${selection} } ${sumsOnly} pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { cursor node { __typename id } }`;
  const named = filterType[root];
  return named === undefined
    ? `{ ${root}(first: 20) { ${page} } }`
    : `query ($filter: ${named}) { ${root}(filter: $filter, first: 20) { ${page} } }`;
}

function operationOf(
  world: ProbeWorld,
  { target, fields, filter, pick, sums }: Probe,
  row: Row | null,
): { readonly query: string; readonly variables: Readonly<Record<string, unknown>> } {
  const byNumber = target.argument === 'number' && row?.number !== null;
  const asked: Target = target.argument === 'number' && !byNumber ? { ...target, argument: 'id' } : target;
  const query = documentOf(asked, fields, sums);
  if (target.shape === 'one') return { query, variables: { key: byNumber ? row?.number : row?.id } };
  if (target.shape === 'plain' || filterType[target.root] === undefined) return { query, variables: {} };
  return { query, variables: { filter: filterOf(world, filter, target, row, pick) } };
}

function filterOf(world: ProbeWorld, filter: Probe['filter'], { type }: Target, row: Row | null, pick: number): object | null {
  const orgUnit = `u${at(world.units, pick)}`;
  switch (filter) {
    case 'none':
      return null;
    case 'unit':
      if (type === 'AuditEvent') return { unit: orgUnit };
      return type.endsWith('Slip') ? null : { orgUnit };
    case 'citizen':
      if (type === 'AuditEvent') return { person: at(rowsOf(world, 'Citizen'), pick).id };
      if (type === 'Account') return { text: row?.number ?? '' };
      if (type === 'Citizen') return { text: row?.number ?? null };
      return row?.citizenId === null || row === null ? null : { citizen: row.citizenId };
  }
}

interface Seen {
  readonly type: string;
  readonly id: string;
  /** More of it than its type and id. */
  readonly told: boolean;
}

/** Every record in an answer, wherever it stands. */
function recordsIn(value: unknown): readonly Seen[] {
  if (Array.isArray(value)) return value.flatMap(recordsIn);
  if (typeof value !== 'object' || value === null) return [];
  const inside = Object.values(value).flatMap(recordsIn);
  const { __typename: type, id } = value as { readonly __typename?: string; readonly id?: string };
  if (type === undefined || id === undefined) return inside;
  const told = Object.entries(value).some(([key, field]) => key !== '__typename' && key !== 'id' && field !== null);
  return [{ type, id, told }, ...inside];
}

const byId = new WeakMap<ProbeWorld, Map<string, ReadonlyMap<string, Row>>>();

function rowById(world: ProbeWorld, type: string, id: string): Row | undefined {
  const types = byId.get(world) ?? new Map<string, ReadonlyMap<string, Row>>();
  byId.set(world, types);
  const known = types.get(type) ?? new Map(rowsOf(world, type).map((row) => [row.id, row]));
  types.set(type, known);
  return known.get(id);
}

/** One record: there when it may be seen, else null; and a role without the right is told so, whatever it asks for. */
function missed(caller: Caller, { target }: Probe, row: Row, { body }: Probed): readonly string[] {
  if (target.shape !== 'one') return [];
  const permission = permissionOf(target.type, row);
  const given = body.data?.[target.root] ?? null;
  const codes = (body.errors ?? []).filter(({ path }) => path?.length === 1).map(({ extensions }) => extensions.code);
  if (scopeOf(caller, permission) === null) {
    // The auditor turns a number into an id, and sees no more; without any field asked he is not refused.
    const shown =
      given === null
        ? []
        : Object.entries(given).filter(([key, value]) => key !== '__typename' && key !== 'id' && value !== null);
    if (shown.length > 0) return [`${place(caller)} has no ${permission} and sees fields`];
    // A run of a kind that he never reads does not exist for who reads others.
    const ofOtherKinds = target.root === 'run' && target.permission !== null && scopeOf(caller, target.permission) !== null;
    const refused = given !== null || codes[0] === 'FORBIDDEN' || target.root === 'citizen' || ofOtherKinds;
    return refused ? [] : [`${place(caller)} has no ${permission} and is not told so`];
  }
  if (mayRead(caller, permission, row)) {
    return given === null && codes.length === 0 && target.argument === 'id'
      ? [`${place(caller)} misses his own ${target.type}`]
      : [];
  }
  return given === null && codes.length > 0 ? [`a foreign ${target.type} answers an error, ${String(codes[0])}`] : [];
}

/** A count without filter counts what the caller may see; so do statistics. */
async function uncounted(
  world: ProbeWorld,
  caller: Caller,
  { target, filter }: Probe,
  own: readonly Row[],
  { body }: Probed,
): Promise<readonly string[]> {
  const given = body.data?.[target.root] ?? null;
  if (given === null) return [];
  const wrong = (counted: number, real: number): readonly string[] =>
    counted === real ? [] : [`${place(caller)} counts ${counted} instead of ${real} by ${target.root}`];
  if (target.shape === 'list') {
    const whole = filter === 'none' || target.argument === 'none';
    const all = ['Citizen', 'Account', 'Client', 'Run'].includes(target.type);
    return whole && all ? wrong((given as { readonly totalCount: number }).totalCount, own.length) : [];
  }
  const truth = async (text: string): Promise<number> => {
    const [row] = await world.truth<{ readonly count: number }>(text, [caller.principal.scope]);
    return row?.count ?? 0;
  };
  const sumOf = (count: object): number =>
    Object.values(count).reduce<number>((sum, part) => sum + (typeof part === 'number' ? part : 0), 0);
  if (target.root === 'fieldCounts') {
    const real = await truth(
      `select count(*)::int as count from citizens.citizen where life_status <> 'MERGED' and unit_no <@ $1::int4multirange`,
    );
    const whole = (given as readonly object[]).filter((count) => Object.keys(count).length === 5);
    return whole.flatMap((count) => wrong(sumOf(count), real));
  }
  if (target.root === 'workCounts') {
    const counts = given as readonly object[];
    if (counts.some((count) => Object.keys(count).length < 5)) return [];
    const real = await truth(
      `select count(*)::int as count from organisation.work_item where state = 'OPEN' and unit_no <@ $1::int4multirange`,
    );
    return wrong(
      counts.reduce((sum, count) => sum + sumOf(count), 0),
      real,
    );
  }
  return [];
}

/** Who is in an answer stands in its audit, and nobody else; `null`: of such a record nobody is named. */
function subjectOf(world: ProbeWorld, { type, id }: Seen): string | null {
  if (['Run', 'Import', 'Export', 'OrgUnit', 'Change', 'Principal'].includes(type)) return null;
  if (type === 'Client') return clientSubject(id);
  return rowById(world, type, id)?.citizenId ?? id;
}

/**
 * Whoever is in the answer is a subject of an audit row that was there before it, and nobody else is. A question about one person or one
 * number, and one that was refused, may name him without showing him: what it tells is about him.
 */
async function unaudited(
  world: ProbeWorld,
  { target, filter, sums }: Probe,
  { traceId, body }: Probed,
  seen: readonly Seen[],
): Promise<readonly string[]> {
  const rows = await world.truth<{ subjects: string[]; action: string; detail: { counts: { count: number }[] } | null }>(
    'select subjects::text[] as subjects, action, detail from hub.audit_event where trace_id = $1',
    [traceId],
  );
  // Whoever looks for one person in the audit is written down by that person, not by the events he saw.
  const named = target.type === 'AuditEvent' && filter === 'citizen' ? [] : seen;
  const persons = new Set(named.map((one) => subjectOf(world, one)).filter((subject) => subject !== null));
  const subjects = new Set(rows.flatMap((row) => row.subjects));
  const faults = [...persons.difference(subjects)].map(() => 'a person is in the answer and not in the audit');
  const ofOne = (target.shape === 'list' && filter === 'citizen') || (body.errors ?? []).length > 0;
  if (!ofOne) faults.push(...[...subjects.difference(persons)].map(() => 'a person is in the audit and not in the answer'));
  const list = body.data?.[target.root] as { readonly totalCount?: number } | null | undefined;
  if (sums && target.shape === 'list' && list && target.type !== 'Run') {
    const counted = rows.flatMap(({ detail }) => detail?.counts ?? []).map(({ count }) => count);
    const told = counted.length === 0 ? list.totalCount === 0 : counted.length === 1 && counted[0] === list.totalCount;
    if (!told) faults.push(`a sum of ${String(list.totalCount)} is written down as ${counted.join()}`);
  }
  return faults;
}

/** A read of one row of one table by its key, under a principal's scope and without lock one: only the policy stands. */
export async function tableProbe(
  world: ProbeWorld,
  reader: Client,
  { table, key, units }: ScopedTable,
  caller: Caller,
  pick: number,
): Promise<string | null> {
  const [found] = await world.truth<{ key: string; units: (number | null)[] }>(
    `select ${key}::text as key, array[${units.join(', ')}] as units from ${table}
      order by ${key} offset $1 % greatest((select count(*) from ${table}), 1) limit 1`,
    [pick],
  );
  if (found === undefined) return null;
  const scope = caller.principal.scope;
  await reader.query('begin read only');
  await reader.query(`select set_config('hub.scope', $1, true)`, [scope]);
  const { rowCount } = await reader.query(`select from ${table} where ${key}::text = $1`, [found.key]);
  await reader.query('commit');
  const own = found.units.some((unit) => unit !== null && coversUnit(scope, unit));
  const read = (rowCount ?? 0) > 0;
  if (read && !own) return `${place(caller)} reads a foreign row of ${table}`;
  return !read && own ? `${place(caller)} misses his own row of ${table}` : null;
}
