import fc from 'fast-check';
import type { Client } from 'pg';
import { roles, type Permission, type Role } from '#kernel/auth/permissions.ts';
import { scopeOf } from '#kernel/auth/policy.ts';
import type { Caller } from '#kernel/auth/principal.ts';
import { coversUnit } from '#kernel/unit-scope.ts';
import type { Probed, ProbedGraph, ProbeWorld, Row, ScopedTable } from './probe-world.ts';

/*
 * Random principal × place × operation × field. The oracle is `mayRead`, ten lines that anyone can review; it knows nothing of how
 * the hub reads.
 */

const typeOf: Readonly<Record<string, { readonly table: string; readonly permission: Permission }>> = {
  Citizen: { table: 'citizens.citizen', permission: 'citizen:read' },
  Discrepancy: { table: 'citizens.discrepancy', permission: 'discrepancy:read' },
  InsuranceCard: { table: 'insurance.card', permission: 'card:read' },
  DigitizedResult: { table: 'results.result', permission: 'result:read' },
  ReferralSlip: { table: 'slips.referral_slip', permission: 'slip:read' },
  ReexaminationSlip: { table: 'slips.reexamination_slip', permission: 'slip:read' },
  WorkItem: { table: 'organisation.work_item', permission: 'work:read' },
};

/** The rule of the house: the role has the right, and the row's unit (of a slip also its facility) lies in the caller's scope. */
export function mayRead(caller: Caller, permission: Permission, row: Row): boolean {
  const scope = scopeOf(caller, permission);
  if (scope === null) return false;
  const covered = [row.unitNo, row.facilityNo].some((unit) => unit !== null && coversUnit(scope.units, unit));
  return covered && (scope.citizenId === null || scope.citizenId === row.citizenId);
}

/** Selections by type. Each is asked with `__typename id`, by which the answer is held against the tables. */
const selections: Readonly<Record<string, readonly string[]>> = {
  Citizen: [
    'fullName personalId',
    'version lifeStatus orgUnit { id name }',
    'identifiers { system value period { start end } standing source }',
    'dateOfBirth { value precision } gender ethnicity phone email',
    'birthplace nativePlace permanentAddress { text code } currentAddress { text currentCode confidence }',
    'fieldStatuses { field status conflict source checkedAt }',
    'insuranceCards { __typename id number citizen { __typename id fullName } }',
    'cardInForce { __typename id number }',
    'digitizedResults(first: 5) { nodes { __typename id code name } totalCount }',
    'referralSlips(first: 5) { nodes { __typename id number } }',
    'reexaminationSlips(first: 3) { edges { node { __typename id appointmentOn } } }',
    'discrepancies { __typename id field ours theirs }',
    'history(first: 2) { nodes { who action after { field value } } }',
  ],
  InsuranceCard: [
    'number validFrom validTo status',
    'holderName registeredFacility',
    'citizen { __typename id fullName insuranceCards { __typename id number } }',
    'history(first: 2) { nodes { who before { field value } } }',
  ],
  DigitizedResult: ['code name kind issuedOn', 'excerpt fileState useCount', 'citizen { __typename id phone }'],
  ReferralSlip: [
    'number origin status issuedOn',
    'reason toFacility',
    'citizen { __typename id fullName cardInForce { __typename id } }',
  ],
  ReexaminationSlip: ['number status appointmentOn', 'facility', 'citizen { __typename id personalId }'],
  Discrepancy: ['field kind ours theirs', 'citizen { __typename id fullName }', 'state raisedAt orgUnit { id }'],
  WorkItem: ['source kind subject', 'field foundBy state', 'citizen { __typename id fullName }'],
};

interface Target {
  readonly root: string;
  readonly type: string;
  /** One record, or a page of them. */
  readonly shape: 'one' | 'list';
  readonly argument: 'id' | 'number' | 'filter';
}

const targets: readonly Target[] = [
  { root: 'citizen', type: 'Citizen', shape: 'one', argument: 'id' },
  { root: 'citizen', type: 'Citizen', shape: 'one', argument: 'number' },
  { root: 'citizens', type: 'Citizen', shape: 'list', argument: 'filter' },
  { root: 'insuranceCard', type: 'InsuranceCard', shape: 'one', argument: 'id' },
  { root: 'insuranceCard', type: 'InsuranceCard', shape: 'one', argument: 'number' },
  { root: 'insuranceCards', type: 'InsuranceCard', shape: 'list', argument: 'filter' },
  { root: 'digitizedResult', type: 'DigitizedResult', shape: 'one', argument: 'id' },
  { root: 'digitizedResult', type: 'DigitizedResult', shape: 'one', argument: 'number' },
  { root: 'digitizedResults', type: 'DigitizedResult', shape: 'list', argument: 'filter' },
  { root: 'referralSlip', type: 'ReferralSlip', shape: 'one', argument: 'id' },
  { root: 'referralSlips', type: 'ReferralSlip', shape: 'list', argument: 'filter' },
  { root: 'reexaminationSlip', type: 'ReexaminationSlip', shape: 'one', argument: 'id' },
  { root: 'reexaminationSlips', type: 'ReexaminationSlip', shape: 'list', argument: 'filter' },
  { root: 'discrepancies', type: 'Discrepancy', shape: 'list', argument: 'filter' },
  { root: 'workItems', type: 'WorkItem', shape: 'list', argument: 'filter' },
];

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
  /** Half of the probes of one record aim at one that the caller may see, else most would answer nothing. */
  readonly aim: boolean;
}

const maskCount = 6;

export function anyProbe(): fc.Arbitrary<Probe> {
  return fc.record({
    role: fc.constantFrom(...roles.filter((role) => role !== 'cli'), 'steward', 'centre', 'clerk', 'clerk', 'integrator'),
    place: fc.nat(1_000),
    target: fc.constantFrom(...targets),
    fields: fc.nat(maskCount - 1),
    pick: fc.nat(1_000_000),
    filter: fc.constantFrom('none', 'unit', 'citizen'),
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
  const asked = typeOf[target.type];
  if (asked === undefined) throw new Error(`no table of ${target.type}`);
  const caller = world.callerOf(probe.role, at(world.units, probe.place));
  const all = world.rows.get(asked.table) ?? [];
  const own = all.filter((row) => mayRead(caller, asked.permission, row));
  const row = at(probe.aim && own.length > 0 ? own : all, probe.pick);
  const { query, variables } = operationOf(world, probe, row);
  const answer = await graph.ask(caller, query, variables);
  const seen = recordsIn(answer.body.data);
  const faults: string[] = [];
  for (const { type, id } of seen) {
    const kind = typeOf[type];
    const known = kind === undefined ? undefined : rowById(world, kind.table, id);
    if (kind === undefined || known === undefined) faults.push(`${type} ${id} is in no table`);
    else if (!mayRead(caller, kind.permission, known)) faults.push(`foreign ${type} for ${place(caller)}`);
  }
  faults.push(...missed(caller, probe, asked.permission, row, answer), ...(await uncounted(caller, probe, own, answer)));
  faults.push(...(await unaudited(world, answer, seen)));
  return { faults: faults.map((fault) => `${fault}: ${query} ${JSON.stringify(variables)}`), returnedRows: seen.length > 0 };
}

function place({ principal }: Caller): string {
  return `${principal.role} of unit ${principal.unitNo}`;
}

function at<T>(list: readonly T[], index: number): T {
  const found = list[index % list.length];
  if (found === undefined) throw new Error('empty list');
  return found;
}

function operationOf(
  world: ProbeWorld,
  { target, fields, filter, pick }: Probe,
  row: Row,
): { readonly query: string; readonly variables: Readonly<Record<string, unknown>> } {
  const parts = selections[target.type] ?? [];
  const selection = `__typename id ${parts.filter((_, index) => (index + fields) % 3 === 0 || index === fields).join(' ')}`;
  if (target.shape === 'one') {
    const byNumber = target.argument === 'number' && row.number !== null;
    const argument = byNumber ? (numberArgument[target.root] ?? 'id') : 'id';
    const type = byNumber ? 'String' : 'ID!';
    return {
      query: `query ($key: ${type}) { ${target.root}(${argument}: $key) { ${selection} } }`,
      variables: { key: byNumber ? row.number : row.id },
    };
  }
  const named = filterType[target.root] ?? '';
  return {
    query: `query ($filter: ${named}) { ${target.root}(filter: $filter, first: 20) { nodes { ${selection} } totalCount } }`,
    variables: { filter: filterOf(world, filter, target, row, pick) },
  };
}

function filterOf(world: ProbeWorld, filter: Probe['filter'], { type }: Target, row: Row, pick: number): object | null {
  switch (filter) {
    case 'none':
      return null;
    case 'unit':
      return type.endsWith('Slip') ? null : { orgUnit: `u${at(world.units, pick)}` };
    case 'citizen':
      return type === 'Citizen' ? { text: row.number } : row.citizenId === null ? null : { citizen: row.citizenId };
  }
}

interface Seen {
  readonly type: string;
  readonly id: string;
}

/** Every record in an answer, wherever it stands. */
function recordsIn(value: unknown): readonly Seen[] {
  if (Array.isArray(value)) return value.flatMap(recordsIn);
  if (typeof value !== 'object' || value === null) return [];
  const inside = Object.values(value).flatMap(recordsIn);
  const { __typename: type, id } = value as { readonly __typename?: string; readonly id?: string };
  return type !== undefined && id !== undefined ? [{ type, id }, ...inside] : inside;
}

const byId = new WeakMap<readonly Row[], ReadonlyMap<string, Row>>();

function rowById(world: ProbeWorld, table: string, id: string): Row | undefined {
  const rows = world.rows.get(table) ?? [];
  const known = byId.get(rows) ?? new Map(rows.map((row) => [row.id, row]));
  byId.set(rows, known);
  return known.get(id);
}

/** One record: there when it may be seen, else null; and a role without the right is told so, whatever it asks for. */
function missed(caller: Caller, { target }: Probe, permission: Permission, row: Row, { body }: Probed): readonly string[] {
  if (target.shape !== 'one') return [];
  const given = body.data?.[target.root] ?? null;
  const codes = (body.errors ?? []).filter(({ path }) => path?.length === 1).map(({ extensions }) => extensions.code);
  if (scopeOf(caller, permission) === null) {
    // The auditor turns a number into an id, and sees no more; without any field asked he is not refused.
    const shown =
      given === null
        ? []
        : Object.entries(given).filter(([key, value]) => key !== '__typename' && key !== 'id' && value !== null);
    if (shown.length > 0) return [`${place(caller)} has no ${permission} and sees fields`];
    const refused = given !== null || codes[0] === 'FORBIDDEN' || target.root === 'citizen';
    return refused ? [] : [`${place(caller)} has no ${permission} and is not told so`];
  }
  if (mayRead(caller, permission, row)) {
    return given === null && codes.length === 0 && target.argument === 'id'
      ? [`${place(caller)} misses his own ${target.type}`]
      : [];
  }
  return given === null && codes.length > 0 ? [`a foreign ${target.type} answers an error, ${String(codes[0])}`] : [];
}

/** A count without filter counts what the caller may see. */
async function uncounted(
  caller: Caller,
  { target, filter }: Probe,
  own: readonly Row[],
  { body }: Probed,
): Promise<readonly string[]> {
  if (target.shape !== 'list' || filter !== 'none' || !['Citizen'].includes(target.type)) return [];
  const list = body.data?.[target.root] as { readonly totalCount: number } | null | undefined;
  if (list === null || list === undefined) return [];
  return list.totalCount === own.length ? [] : [`${place(caller)} counts ${list.totalCount} instead of ${own.length}`];
}

/** Whoever is in the answer is a subject of an audit row that was there before it. */
async function unaudited(world: ProbeWorld, { traceId }: Probed, seen: readonly Seen[]): Promise<readonly string[]> {
  if (seen.length === 0) return [];
  const rows = await world.truth<{ subjects: string[] }>(
    'select subjects::text[] as subjects from hub.audit_event where trace_id = $1',
    [traceId],
  );
  const subjects = new Set(rows.flatMap((row) => row.subjects));
  const persons = seen.map(({ type, id }) => {
    const row = rowById(world, typeOf[type]?.table ?? '', id);
    return row?.citizenId ?? id;
  });
  return persons.filter((person) => !subjects.has(person)).map(() => 'a person is in the answer and not in the audit');
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
