import { randomUUIDv7 } from 'node:crypto';
import type { PopulationAnswer } from '#connectors/population/index.ts';
import type { Caller } from '#kernel/auth/principal.ts';
import type { Transaction } from '#kernel/db/database.ts';
import { insertRows } from '#kernel/db/insert-rows.ts';
import { publish, type OutboxEvent } from '#kernel/db/outbox.ts';
import { citizenFields, fieldBits, type CitizenField } from '#kernel/domain/citizen-field.ts';
import type { AuditAction } from '#kernel/audit/actions.ts';
import { comparedFields, compareRecord, confirmedFindings, unknownFindings, type Finding } from './matching.ts';
import { lockedOf, workOn, type AskedCitizen, type KnownWork, type LockedCitizen } from './reconcile-reads.ts';

/*
 * What the answers about one page of citizens change, by sets, in one transaction. Guarantees: a value of ours is never overwritten; an answer
 * that is older than what is known changes nothing; the same answer a second time changes nothing; a difference is one work item however
 * often it is found, and none any more when it is gone; what people decided to keep stays decided as long as the other side says the same.
 */

export interface Answered {
  readonly citizen: AskedCitizen;
  readonly answer: PopulationAnswer;
}

/** Of the citizens of a page; each is exactly one of these, or was not answered. */
export interface PageTally {
  readonly matched: number;
  readonly differing: number;
  readonly unknown: number;
  /** Older than what is known: ignored. */
  readonly stale: number;
  /** Our record was changed while he was asked about: asked again next time. */
  readonly changed: number;
}
export interface PageEffect extends PageTally {
  readonly opened: number;
  readonly withdrawn: number;
}

export interface PageContext {
  readonly run: string;
  readonly caller: Caller;
  readonly units: string;
  /** When the citizens were read, by the database's clock. */
  readonly now: Date;
  /** The latest moment that an answer can speak of, by the same clock: that of the worker may be wrong by hours. */
  readonly latest: Date;
}

interface Judged {
  readonly before: LockedCitizen;
  readonly findings: readonly Finding[];
  /** Whether every field was compared; of a person whom they do not know none was. */
  readonly whole: boolean;
  readonly asOf: Date | null;
  /** The source said this before, as of the same moment. */
  readonly repeated: boolean;
}

const source = 'POPULATION';

export async function writeAnswers(tx: Transaction, context: PageContext, answers: readonly Answered[]): Promise<PageEffect> {
  const ids = answers.map(({ citizen }) => citizen.id);
  const locked = await lockedOf(tx, context.units, ids);
  const { judged, tally } = judge(answers, locked, context.latest);
  if (judged.length === 0) return { ...tally, opened: 0, withdrawn: 0 };
  const work = Map.groupBy(
    await workOn(
      tx,
      judged.map(({ before }) => before.id),
    ),
    ({ citizenId }) => citizenId,
  );
  const confirmed = await confirmNumbers(tx, judged);
  await writeVerifications(tx, context, judged);
  await writeSheets(tx, context, judged, confirmed, work);
  const changes = judged.map((one) => workChanges(one, work.get(one.before.id) ?? []));
  const opened = await open(
    tx,
    context,
    changes.flatMap(({ raise }) => raise),
  );
  const moved = await move(
    tx,
    context,
    changes.flatMap(({ update }) => update),
    changes.flatMap(({ withdraw }) => withdraw),
  );
  await publish(tx, [...opened, ...moved]);
  await noteAudit(
    tx,
    context,
    'citizen.verified',
    judged.map(({ before }) => before.id),
    comparedFields.map(coordinateOf),
    {
      matched: tally.matched,
      differing: tally.differing,
      unknown: tally.unknown,
    },
  );
  return { ...tally, opened: opened.length, withdrawn: changes.reduce((sum, { withdraw }) => sum + withdraw.length, 0) };
}

/** Their clock may run ahead: an answer from the future would keep every later one out. */
function momentOf(asOf: Date | null, latest: Date): Date | null {
  return asOf === null || asOf.getTime() <= latest.getTime() ? asOf : latest;
}

function judge(
  answers: readonly Answered[],
  locked: ReadonlyMap<string, LockedCitizen>,
  latest: Date,
): { readonly judged: readonly Judged[]; readonly tally: PageTally } {
  const judged: Judged[] = [];
  const tally = { matched: 0, differing: 0, unknown: 0, stale: 0, changed: 0 };
  for (const { citizen, answer } of answers) {
    const before = locked.get(citizen.id);
    if (before?.version !== citizen.version) {
      tally.changed += 1;
      continue;
    }
    const asOf = momentOf(answer.asOf, latest);
    if (asOf !== null && before.knownAsOf !== null && asOf.getTime() < before.knownAsOf) {
      tally.stale += 1;
      continue;
    }
    const findings = findingsOf(citizen, answer);
    judged.push({
      before,
      findings,
      whole: answer.kind !== 'unknown-person',
      asOf,
      repeated: asOf !== null && asOf.getTime() === before.knownAsOf,
    });
    if (answer.kind === 'unknown-person') tally.unknown += 1;
    else if (findings.every(({ outcome }) => outcome === 'MATCH')) tally.matched += 1;
    else tally.differing += 1;
  }
  return { judged, tally };
}

function findingsOf({ sheet }: AskedCitizen, answer: PopulationAnswer): readonly Finding[] {
  switch (answer.kind) {
    case 'match':
      return confirmedFindings(sheet);
    case 'record':
      return compareRecord(sheet, answer.person);
    case 'unknown-person':
      return unknownFindings(sheet);
  }
}

const numberFields = ['PERSONAL_ID', 'OLD_ID_NUMBER'] as const;

/** The numbers that are confirmed now, `citizen field`; a number that another holds confirmed is not among them. */
async function confirmNumbers(tx: Transaction, judged: readonly Judged[]): Promise<ReadonlySet<string>> {
  const of = (matches: boolean) =>
    judged.flatMap(({ before, findings }) =>
      numberFields
        .filter((field) => findings.some((finding) => finding.field === field && (finding.outcome === 'MATCH') === matches))
        .map((field) => ({ id: before.id, field })),
    );
  const doubted = of(false);
  if (doubted.length > 0) {
    await tx.query(
      `update citizens.identifier i set standing = 'CLAIMED'
       from unnest($1::uuid[], $2::text[]) n(citizen_id, system)
       where i.citizen_id = n.citizen_id and i.system = n.system and i.valid_to is null and i.standing = 'CONFIRMED' and i.source = $3`,
      [doubted.map(({ id }) => id), doubted.map(({ field }) => field), source],
    );
  }
  const sure = of(true);
  const rows = await tx.query<{ readonly citizen_id: string; readonly system: string }>(
    'select citizen_id, system from citizens.confirm_numbers($1::uuid[], $2::text[], $3)',
    [sure.map(({ id }) => id), sure.map(({ field }) => field), source],
  );
  return new Set(rows.map(({ citizen_id, system }) => `${citizen_id} ${system}`));
}

/** What was said once is not written down twice: neither in one run, nor when the source repeats itself. */
async function writeVerifications(tx: Transaction, { run, now }: PageContext, judged: readonly Judged[]): Promise<void> {
  const rows = judged
    .filter(({ repeated }) => !repeated)
    .flatMap(({ before, findings, asOf }) =>
      findings.map(({ field, outcome }) => ({ id: before.id, unitNo: before.unitNo, field, outcome, asOf })),
    );
  if (rows.length === 0) return;
  await tx.query(
    `insert into citizens.verification (id, citizen_id, unit_no, field, outcome, source, as_of, checked_at, run_id)
     select uuidv7(), v.citizen_id, v.unit_no, v.field, v.outcome, $6, v.as_of, $7, $8
     from unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::timestamptz[]) v(citizen_id, unit_no, field, outcome, as_of)
     on conflict (run_id, citizen_id, field) where run_id is not null do nothing`,
    [
      rows.map(({ id }) => id),
      rows.map(({ unitNo }) => unitNo),
      rows.map(({ field }) => field),
      rows.map(({ outcome }) => outcome),
      rows.map(({ asOf }) => asOf?.toISOString() ?? null),
      source,
      now.toISOString(),
      run,
    ],
  );
}

/** Which fields are confirmed and contradicted now, by whom, since when. No value and no version changes. */
async function writeSheets(
  tx: Transaction,
  { now }: PageContext,
  judged: readonly Judged[],
  confirmed: ReadonlySet<string>,
  work: ReadonlyMap<string, readonly KnownWork[]>,
): Promise<void> {
  const rows = judged.map(({ before: { id }, findings, whole }) => {
    const known = work.get(id) ?? [];
    const answered = whole ? comparedFields : findings.map(({ field }) => field);
    const are = findings
      .filter(({ outcome }) => outcome === 'MATCH')
      .map(({ field }) => field)
      .filter((field) => !isNumber(field) || confirmed.has(`${id} ${field}`));
    const differing = findings.filter((finding) => isRaised(finding, known)).map(({ field }) => field);
    // What others found and nobody has decided is still in conflict.
    const others = known.filter(
      ({ state, kind, foundBy }) => state !== 'SETTLED' && kind === 'DIFFERENT' && foundBy !== 'RECONCILE',
    );
    return {
      id,
      answered: fieldBits(answered),
      confirmed: fieldBits(are),
      conflicted: fieldBits([...new Set([...differing, ...others.map(({ field }) => field)])]),
    };
  });
  const place = (column: string, value: string): string =>
    `${column} = array(select case when n.answered & (1 << g.i) <> 0 then ${value} else c.${column}[g.i + 1] end
       from generate_series(0, ${String(citizenFields.length - 1)}) g(i) order by g.i)`;
  await tx.query(
    `update citizens.citizen c set confirmed = (c.confirmed & ~n.answered) | n.confirmed,
       conflicted = (c.conflicted & ~n.answered) | n.conflicted, ${place('check_source', '$5::text')}, ${place('checked_at', '$6::timestamptz')}
     from unnest($1::uuid[], $2::int[], $3::int[], $4::int[]) n(id, answered, confirmed, conflicted) where c.id = n.id`,
    [
      rows.map(({ id }) => id),
      rows.map(({ answered }) => answered),
      rows.map((row) => row.confirmed),
      rows.map(({ conflicted }) => conflicted),
      source,
      now.toISOString(),
    ],
  );
}

function isNumber(field: CitizenField): boolean {
  return field === 'PERSONAL_ID' || field === 'OLD_ID_NUMBER';
}

type Different = Exclude<Finding, { readonly outcome: 'MATCH' }>;

/** Both sides have a value, they differ, and nobody has decided that this stays so. */
function isRaised(finding: Finding, known: readonly KnownWork[]): boolean {
  return finding.outcome !== 'MATCH' && finding.kind === 'DIFFERENT' && !isKept(finding, known);
}

function isKept({ field, kind, theirs }: Different, known: readonly KnownWork[]): boolean {
  return known.some((item) => item.state === 'SETTLED' && item.field === field && item.kind === kind && item.theirs === theirs);
}

interface WorkChanges {
  readonly raise: readonly (Different & { readonly citizen: LockedCitizen })[];
  readonly update: readonly { readonly item: KnownWork; readonly finding: Different; readonly citizen: LockedCitizen }[];
  readonly withdraw: readonly { readonly item: KnownWork; readonly citizen: LockedCitizen }[];
}

function workChanges({ before: citizen, findings, whole }: Judged, known: readonly KnownWork[]): WorkChanges {
  const open = known.filter(({ state }) => state !== 'SETTLED');
  const different = findings.filter((finding) => finding.outcome !== 'MATCH');
  const itemOf = ({ field, kind }: Different) => open.find((item) => item.field === field && item.kind === kind);
  const own = open.filter(({ foundBy, decision }) => foundBy === 'RECONCILE' || decision === 'ASK_AGAIN');
  const found = new Set(different.map(itemOf));
  return {
    raise: different
      .filter((finding) => itemOf(finding) === undefined && !isKept(finding, known))
      .map((finding) => ({ ...finding, citizen })),
    update: different.flatMap((finding) => {
      const item = itemOf(finding);
      if (item === undefined || !own.includes(item)) return [];
      const same = item.state === 'OPEN' && item.ours === finding.ours && item.theirs === finding.theirs;
      return same ? [] : [{ item, finding, citizen }];
    }),
    // Of a person whom they do not know they say nothing else.
    withdraw: own.filter((item) => !found.has(item) && whole && comparable(item)).map((item) => ({ item, citizen })),
  };
}

/** Two holders and facts that contradict each other are not theirs to judge. */
function comparable({ kind }: KnownWork): boolean {
  return kind !== 'TWO_HOLDERS' && kind !== 'INCONSISTENT';
}

async function open(tx: Transaction, { run }: PageContext, raise: WorkChanges['raise']): Promise<readonly OutboxEvent[]> {
  if (raise.length === 0) return [];
  const rows = raise.map((finding) => ({ ...finding, id: randomUUIDv7() }));
  // Open under another unit, out of this caller's sight: then it is there already.
  const opened = await tx.query<{ readonly id: string; readonly raisedAt: string }>(
    `insert into citizens.discrepancy (id, citizen_id, unit_no, field, kind, found_by, ours, theirs, run_id)
     select d.id, d.citizen_id, d.unit_no, d.field, d.kind, 'RECONCILE', d.ours, d.theirs, $8
     from unnest($1::uuid[], $2::uuid[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[])
       d(id, citizen_id, unit_no, field, kind, ours, theirs)
     on conflict (citizen_id, field, kind) where state in ('OPEN','LEASED') do nothing
     returning id, to_char(raised_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "raisedAt"`,
    [
      rows.map(({ id }) => id),
      rows.map(({ citizen }) => citizen.id),
      rows.map(({ citizen }) => citizen.unitNo),
      rows.map(({ field }) => field),
      rows.map(({ kind }) => kind),
      rows.map(({ ours }) => ours),
      rows.map(({ theirs }) => theirs),
      run,
    ],
  );
  const raisedAt = new Map(opened.map((row) => [row.id, row.raisedAt]));
  return rows.flatMap(({ id, citizen, field, kind }) => {
    const at = raisedAt.get(id);
    if (at === undefined) return [];
    return [
      workEvent({ id, field, kind, foundBy: 'RECONCILE', raisedAt: at }, citizen, {
        version: 1,
        before: null,
        after: citizen.unitNo,
        state: 'OPEN',
      }),
    ];
  });
}

/** Items that say something else now, and items that are gone. */
async function move(
  tx: Transaction,
  { run }: PageContext,
  update: WorkChanges['update'],
  withdraw: WorkChanges['withdraw'],
): Promise<readonly OutboxEvent[]> {
  if (update.length > 0) {
    await tx.query(
      `update citizens.discrepancy d set version = d.version + 1, state = 'OPEN', decision = null, settled_by = null, settled_at = null,
         ours = n.ours, theirs = n.theirs
       from unnest($1::uuid[], $2::text[], $3::text[]) n(id, ours, theirs) where d.id = n.id`,
      [update.map(({ item }) => item.id), update.map(({ finding }) => finding.ours), update.map(({ finding }) => finding.theirs)],
    );
  }
  if (withdraw.length > 0) {
    await tx.query(
      `update citizens.discrepancy d set version = d.version + 1, state = 'WITHDRAWN', settled_at = clock_timestamp(), settled_by = $2,
         run_id = $3
       where d.id = any ($1::uuid[])`,
      [withdraw.map(({ item }) => item.id), source, run],
    );
  }
  const event = (item: KnownWork, citizen: LockedCitizen, state: 'OPEN' | 'WITHDRAWN'): OutboxEvent =>
    workEvent(item, citizen, { version: item.version + 1, before: item.unitNo, after: item.unitNo, state });
  return [
    ...update.map(({ item, citizen }) => event(item, citizen, 'OPEN')),
    ...withdraw.map(({ item, citizen }) => event(item, citizen, 'WITHDRAWN')),
  ];
}

function workEvent(
  item: Pick<KnownWork, 'id' | 'field' | 'kind' | 'foundBy' | 'raisedAt'>,
  citizen: LockedCitizen,
  at: { readonly version: number; readonly before: number | null; readonly after: number; readonly state: 'OPEN' | 'WITHDRAWN' },
): OutboxEvent {
  const { id, field, kind, foundBy, raisedAt } = item;
  return {
    kind: 'WORK',
    subject: id,
    version: at.version,
    unitBefore: at.before,
    unitAfter: at.after,
    payload: {
      source: 'CITIZENS',
      kind,
      field,
      citizenId: citizen.id,
      citizenUnit: citizen.unitNo,
      foundBy,
      state: at.state,
      raisedAt,
    },
  };
}

const coordinates: Readonly<Record<CitizenField, string>> = {
  FULL_NAME: 'Citizen.fullName',
  OLD_ID_NUMBER: 'Citizen.oldIdNumber',
  PERSONAL_ID: 'Citizen.personalId',
  DATE_OF_BIRTH: 'Citizen.dateOfBirth',
  PHONE: 'Citizen.phone',
  GENDER: 'Citizen.gender',
  BIRTHPLACE: 'Citizen.birthplace',
  EMAIL: 'Citizen.email',
  NATIVE_PLACE: 'Citizen.nativePlace',
  PERMANENT_ADDRESS: 'Citizen.permanentAddress',
};

export function coordinateOf(field: CitizenField): string {
  return coordinates[field];
}

/** Whose data went out to be compared, or what came of it: written in the transaction that reads or writes them. */
export async function noteAudit(
  tx: Transaction,
  { caller, run }: Pick<PageContext, 'caller' | 'run'>,
  action: Extract<AuditAction, 'citizen.asked' | 'citizen.verified'>,
  subjects: readonly string[],
  fields: readonly string[],
  detail: Readonly<Record<string, number | string>> = {},
): Promise<void> {
  if (subjects.length === 0) return;
  const { principal, purpose, basis, operation, traceId } = caller;
  await insertRows(
    tx,
    'hub.audit_event',
    {
      principal: 'text',
      principal_kind: 'text',
      principal_name: 'text',
      role: 'text',
      unit_no: 'int',
      purpose: 'text',
      basis: 'text',
      action: 'text',
      subgraph: 'text',
      subjects: 'uuid[]',
      fields: 'text[]',
      subject_count: 'int',
      operation: 'text',
      trace_id: 'text',
      detail: 'jsonb',
    },
    [
      {
        principal: principal.id,
        principal_kind: principal.kind,
        principal_name: principal.name,
        role: principal.role,
        unit_no: principal.unitNo,
        purpose,
        basis: basis?.id ?? null,
        action,
        subgraph: 'citizens',
        subjects,
        fields: [...fields].sort(),
        subject_count: subjects.length,
        operation,
        trace_id: traceId,
        detail: { run, ...detail },
      },
    ],
  );
}
