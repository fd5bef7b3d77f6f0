import type { Transaction } from '#kernel/db/database.ts';
import type { CitizenField } from '#kernel/domain/citizen-field.ts';
import type { DiscrepancyKind } from './citizen.entity.ts';
import type { Sheet } from './matching.ts';

/* What a comparison with the population database reads: who is due, and what we hold of him. */

/** Of `check_source` and `checked_at`: every answer says something of the number, so its place tells when he was asked last. */
const numberPlace = 3;

/**
 * Due is who has a number and was never asked, or not for `days`; who was changed since; about whom something of an earlier comparison is
 * still open, since it may have vanished; and whoever an operator wants asked again.
 */
function due(alias: string, days: string): string {
  const asked = `${alias}.checked_at[${String(numberPlace)}]`;
  return `${alias}.personal_id is not null and ${alias}.life_status <> 'MERGED' and (
    ${alias}.check_source[${String(numberPlace)}] is distinct from 'POPULATION' or ${asked} is null
    or ${asked} < clock_timestamp() - make_interval(days => ${days}::int) or ${alias}.updated_at > ${asked}
    or exists (select from citizens.discrepancy d where d.citizen_id = ${alias}.id
      and d.state in ('OPEN','LEASED') and (d.found_by = 'RECONCILE' or d.decision = 'ASK_AGAIN')))`;
}

const inScope = (alias: string): string => `coalesce(${alias}.unit_no <@ $1::int4multirange, false)`;

/** Citizens from one id to another, both included; how many of them were due when it was planned. */
export interface DueRange {
  readonly from: string;
  readonly to: string;
  readonly size: number;
}

/** The next citizens who are due, by id, in ranges of at most `pageSize`. */
export async function dueAfter(
  tx: Transaction,
  question: {
    readonly units: string;
    readonly after: string | null;
    readonly days: number;
    readonly pageSize: number;
    readonly pages: number;
  },
): Promise<readonly DueRange[]> {
  return await tx.query<DueRange>(
    `select min(id::text) as from, max(id::text) as to, count(*)::int as size
     from (select id, (row_number() over (order by id) - 1) / $4::int as page from (
       select c.id from citizens.citizen c
       where ${inScope('c')} and ($2::uuid is null or c.id > $2::uuid) and ${due('c', '$3')}
       order by c.id limit $4::int * $5::int) due) paged
     group by page order by page`,
    [question.units, question.after, question.days, question.pageSize, question.pages],
  );
}

/** One citizen as he is asked about. */
export interface AskedCitizen {
  readonly id: string;
  readonly version: number;
  readonly sheet: Sheet;
}

/** Who of a range is due now and was not answered in this run already. */
export async function askedOf(
  tx: Transaction,
  question: { readonly units: string; readonly range: DueRange; readonly days: number; readonly run: string },
): Promise<{ readonly now: Date; readonly citizens: readonly AskedCitizen[] }> {
  const rows = await tx.query<Sheet & { readonly id: string; readonly version: number }>(
    `select c.id, c.version, c.personal_id as "personalId", c.old_id_number as "oldIdNumber", c.full_name as "fullName",
       c.date_of_birth as "dateOfBirth", c.gender, c.birthplace, c.native_place as "nativePlace", c.permanent_text as "permanentText",
       c.permanent_code as "permanentCode", c.permanent_list as "permanentList"
     from citizens.citizen c
     where c.id >= $2::uuid and c.id <= $3::uuid and ${inScope('c')} and ${due('c', '$4')}
       and not exists (select from citizens.verification v where v.run_id = $5 and v.citizen_id = c.id)
     order by c.id`,
    [question.units, question.range.from, question.range.to, question.days, question.run],
  );
  const [clock] = await tx.query<{ readonly now: string }>(
    'select (extract(epoch from clock_timestamp()) * 1000)::bigint::text as now',
  );
  return { now: new Date(Number(clock?.now)), citizens: rows.map(({ id, version, ...sheet }) => ({ id, version, sheet })) };
}

/** What came of a range in this run, over every attempt. */
export interface RangeOutcome {
  readonly matched: number;
  readonly differing: number;
  readonly unknown: number;
  readonly opened: number;
  readonly withdrawn: number;
}

export async function outcomeOf(tx: Transaction, run: string, { from, to }: DueRange): Promise<RangeOutcome> {
  const [row] = await tx.query<RangeOutcome>(
    `select count(*) filter (where not v.unknown and not v.differs)::int as matched, count(*) filter (where v.differs)::int as differing,
       count(*) filter (where v.unknown)::int as unknown,
       (select count(*) from citizens.discrepancy d where d.run_id = $1 and d.citizen_id between $2::uuid and $3::uuid and d.state <> 'WITHDRAWN')::int as opened,
       (select count(*) from citizens.discrepancy d where d.run_id = $1 and d.citizen_id between $2::uuid and $3::uuid and d.state = 'WITHDRAWN')::int as withdrawn
     from (select bool_or(outcome = 'UNKNOWN_PERSON') as unknown, bool_or(outcome = 'MISMATCH') as differs
       from citizens.verification where run_id = $1 and citizen_id between $2::uuid and $3::uuid group by citizen_id) v`,
    [run, from, to],
  );
  return row ?? { matched: 0, differing: 0, unknown: 0, opened: 0, withdrawn: 0 };
}

/** One citizen as he stands when answers are written: locked until the page commits. */
export interface LockedCitizen {
  readonly id: string;
  readonly version: number;
  readonly unitNo: number;
  readonly confirmed: number;
  /** The newest moment of which a written answer spoke, milliseconds since 1970. */
  readonly knownAsOf: number | null;
}

export async function lockedOf(
  tx: Transaction,
  units: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, LockedCitizen>> {
  // Locked first: what is known of him is read behind the lock, by a snapshot that sees who held it before.
  await tx.query(
    `select c.id from citizens.citizen c where c.id = any ($2::uuid[]) and ${inScope('c')} order by c.id for no key update`,
    [units, ids],
  );
  const rows = await tx.query<Omit<LockedCitizen, 'knownAsOf'> & { readonly asOf: string | null }>(
    `select c.id, c.version, c.unit_no as "unitNo", c.confirmed, v.as_of as "asOf"
     from citizens.citizen c
     left join lateral (select (extract(epoch from max(v.as_of)) * 1000)::bigint::text as as_of
       from citizens.verification v where v.citizen_id = c.id and v.source = 'POPULATION') v on true
     where c.id = any ($2::uuid[]) and ${inScope('c')} and c.life_status <> 'MERGED'`,
    [units, ids],
  );
  return new Map(rows.map(({ asOf, ...row }) => [row.id, { ...row, knownAsOf: asOf === null ? null : Number(asOf) }]));
}

/** Work on these citizens that is open, or that people decided to leave as it is. */
export interface KnownWork {
  readonly id: string;
  readonly version: number;
  readonly citizenId: string;
  readonly unitNo: number;
  readonly field: CitizenField;
  readonly kind: DiscrepancyKind;
  readonly foundBy: string;
  readonly ours: string | null;
  readonly theirs: string | null;
  readonly state: 'OPEN' | 'LEASED' | 'SETTLED';
  readonly decision: string | null;
  /** ISO 8601, UTC. */
  readonly raisedAt: string;
}

export async function workOn(tx: Transaction, ids: readonly string[]): Promise<readonly KnownWork[]> {
  return await tx.query<KnownWork>(
    `select d.id, d.version, d.citizen_id as "citizenId", d.unit_no as "unitNo", d.field, d.kind, d.found_by as "foundBy", d.ours, d.theirs,
       d.state, d.decision, to_char(d.raised_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "raisedAt"
     from citizens.discrepancy d
     where d.citizen_id = any ($1::uuid[])
       and (d.state in ('OPEN','LEASED') or (d.state = 'SETTLED' and d.decision = 'KEEP' and d.found_by = 'RECONCILE'))
     order by d.id for update`,
    [ids],
  );
}
