import { randomUUIDv7 } from 'node:crypto';
import type { AuditAction } from '#kernel/audit/actions.ts';
import type { Change } from '#kernel/db/change.ts';
import type { OutboxEvent } from '#kernel/db/outbox.ts';
import type { LifeStatus } from '#kernel/db/shared.entity.ts';
import { citizenFields, fieldBits, type CitizenField } from '#kernel/domain/citizen-field.ts';
import { unitId } from '#kernel/domain/ids.ts';
import { dayInVietnam } from '#kernel/domain/plain-date.ts';
import { refusal } from '#kernel/errors/hub-error.ts';
import { hashIdentifier } from '#kernel/identifier-hash.ts';
import type { StatedFields } from './change-input.ts';
import type { Citizen } from './citizen.entity.ts';
import { flagsOfCitizen, writeValues, type Side } from './citizen-values.ts';
import { keepInconsistency, workNotice, type CitizenWork } from './citizen-work.ts';
import { insertNameKeys } from './name-keys.ts';

/*
 * One change of a citizen who is locked: his row, his numbers, search keys, history, audit and message, in the transaction of the change
 * and as one version. Everything that writes a citizen by hand comes through here.
 */

/** A key by which a sender knows a citizen. */
export interface SenderKey {
  readonly sender: number;
  readonly key: string;
}

export interface Rewrite {
  readonly fields: StatedFields;
  readonly unitNo: number;
  readonly lifeStatus: LifeStatus;
  /** `undefined`: as it stands. */
  readonly senderKey?: SenderKey | null;
  /** Which fields are confirmed afterwards, of the named ones; others lose their confirmation with their value. */
  readonly confirmed?: { readonly of: readonly CitizenField[]; readonly are: readonly CitizenField[] };
  /** Bits of the fields in conflict afterwards. */
  readonly conflicted?: number;
  /** How a number that is written now came here; whether it is one he had before. */
  readonly number: { readonly source: string; readonly reopened: boolean };
  readonly trueFrom: string | null;
  readonly action: AuditAction;
  readonly by: Change['by'];
  /** What is said of the change itself: why, what was decided. */
  readonly said?: Side;
  /** A change without a new value is one too. */
  readonly always?: boolean;
}

/** Id of the change; `null`: all of it stood there already, so nothing happened and nothing is written down. */
export async function rewrite(change: Change, citizen: Citizen, to: Rewrite, identifierKey: Buffer): Promise<string | null> {
  const { unitNo, lifeStatus } = to;
  const unitBefore = citizen.unitNo;
  const moves = unitNo !== unitBefore;
  // Asked before anything is written: a statement flushes, and one change is one version.
  const senderKey = await senderKeyAt(change, citizen, unitNo, to.senderKey);
  const confirmedBefore = citizen.confirmed;
  const { before, after } = writeValues(citizen, to.fields);
  if (lifeStatus !== citizen.lifeStatus) {
    before.lifeStatus = citizen.lifeStatus;
    after.lifeStatus = citizen.lifeStatus = lifeStatus;
  }
  if (moves) {
    before.orgUnit = unitId(unitBefore);
    after.orgUnit = unitId(unitNo);
  }
  if (senderKey !== undefined) {
    before.sourceKey = citizen.sourceKey ?? null;
    before.senderUnit = citizen.senderUnitNo === null || citizen.senderUnitNo === undefined ? null : unitId(citizen.senderUnitNo);
    after.sourceKey = citizen.sourceKey = senderKey?.key ?? null;
    citizen.senderUnitNo = senderKey?.sender ?? null;
    after.senderUnit = senderKey === null ? null : unitId(senderKey.sender);
  }
  if (to.confirmed !== undefined) {
    citizen.confirmed = (citizen.confirmed & ~fieldBits(to.confirmed.of)) | fieldBits(to.confirmed.are);
  }
  const turned = confirmedBefore ^ citizen.confirmed;
  if (turned !== 0) {
    before.confirmed = namesOf(confirmedBefore & turned);
    after.confirmed = namesOf(citizen.confirmed & turned);
  }
  const conflicted = to.conflicted ?? citizen.conflicted;
  if (Object.keys(after).length === 0 && conflicted === citizen.conflicted && to.always !== true) return null;
  citizen.conflicted = conflicted;
  citizen.flags = flagsOfCitizen(citizen);
  citizen.updatedAt = change.now;
  citizen.unitNo = unitNo;
  await change.em.flush();
  if (moves) await moveRows(change, citizen, unitBefore);
  await writeNumbers(change, citizen, before, after, to.number);
  const id = remember(change, citizen, to, before, { ...after, ...to.said });
  if ('fullName' in after) {
    await change.transaction.query('delete from citizens.name_key where citizen_id = $1', [citizen.id]);
    writeNameKeys(change, citizen);
  }
  await keepInconsistency(change, citizen, Object.keys(after));
  const names = fieldNames(after);
  change.audit(to.action, [citizen.id], names.length > 0 ? names : ['Discrepancy.state']);
  const replicated = ['personalId', 'oldIdNumber', 'orgUnit', 'lifeStatus'].some((name) => name in after);
  if (replicated)
    change.publish(replicaOf(citizen, unitBefore, [...(await numbersOf(change, citizen)), ...numbersIn(after)], identifierKey));
  return id;
}

/** The row of the history; its id. */
export function remember(
  change: Change,
  citizen: Citizen,
  { trueFrom, by, action }: Pick<Rewrite, 'trueFrom' | 'by' | 'action'>,
  before: Side | null,
  after: Side,
): string {
  const id = randomUUIDv7();
  const { principal, principalName, cause, causeId } = by;
  change.late(
    `insert into citizens.change (id, citizen_id, unit_no, version, effective_from, principal, principal_name, cause, cause_id, action, before, after)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::jsonb, $12::jsonb)`,
    [
      ...[id, citizen.id, citizen.unitNo, citizen.version, trueFrom, principal, principalName, cause, causeId, action],
      before === null ? null : JSON.stringify(before),
      JSON.stringify(after),
    ],
  );
  return id;
}

/** Fields of the sheet as the history writes a set of them. */
function namesOf(bits: number): string {
  return citizenFields.filter((field) => (bits & fieldBits([field])) !== 0).join(' ');
}

/**
 * The key he has where he comes to; `undefined`: nothing changes. Where the sender means another by it, he lays it down, else he could
 * never go there.
 */
async function senderKeyAt(
  change: Change,
  citizen: Citizen,
  unitNo: number,
  wanted: SenderKey | null | undefined,
): Promise<SenderKey | null | undefined> {
  const { sourceKey = null, senderUnitNo = null } = citizen;
  const own = sourceKey === null || senderUnitNo === null ? null : { sender: senderUnitNo, key: sourceKey };
  const key = wanted === undefined ? own : wanted;
  const same = key?.key === own?.key && key?.sender === own?.sender;
  if (key === null) return same ? undefined : null;
  if (same && unitNo === citizen.unitNo) return undefined;
  if (await keyStandsIn(change, citizen.id, key, unitNo)) return own === null ? undefined : null;
  return same ? undefined : key;
}

async function keyStandsIn(change: Change, id: string, { sender, key }: SenderKey, unitNo: number): Promise<boolean> {
  const others = await change.transaction.query(
    'select from citizens.citizen where sender_unit_no = $1 and source_key = $2 and unit_no = $3 and id <> $4',
    [sender, key, unitNo, id],
  );
  return others.length > 0;
}

const numberSystems = [
  ['personalId', 'PERSONAL_ID'],
  ['oldIdNumber', 'OLD_ID_NUMBER'],
] as const;

/**
 * A number that was replaced or taken away ends and still finds the person. One that comes is claimed until a source confirms it; one that
 * comes back goes on as what it was.
 */
export async function writeNumbers(
  change: Change,
  citizen: Citizen,
  before: Side,
  after: Side,
  { source, reopened }: Rewrite['number'],
): Promise<void> {
  for (const [name, system] of numberSystems) {
    if (!(name in after)) continue;
    const [ended, value] = [before[name] ?? null, after[name] ?? null];
    if (ended !== null) {
      await change.transaction.query(
        `update citizens.identifier set valid_to = greatest(valid_from, $4::date)
         where citizen_id = $1 and system = $2 and value = $3 and valid_to is null`,
        [citizen.id, system, ended, dayInVietnam(change.now)],
      );
    }
    if (value === null || (reopened && (await reopen(change, citizen.id, system, value)))) continue;
    change.late(
      `insert into citizens.identifier (id, citizen_id, unit_no, system, value, standing, source) values ($1, $2, $3, $4, $5, 'CLAIMED', $6)`,
      [randomUUIDv7(), citizen.id, citizen.unitNo, system, value, source],
    );
  }
}

async function reopen(change: Change, citizenId: string, system: string, value: string): Promise<boolean> {
  const rows = await takenTwice(() =>
    change.transaction.query(
      `update citizens.identifier set valid_to = null where id = (
         select id from citizens.identifier where citizen_id = $1 and system = $2 and value = $3 and standing <> 'CANCELLED'
           and valid_to is not null order by valid_to desc, id desc limit 1) returning id`,
      [citizenId, system, value],
    ),
  );
  return rows.length > 0;
}

/** A trusted source said that the number he has is his; with one that came just now he has it by now. */
export async function confirmNumber(change: Change, citizenId: string, field: CitizenField, source: string): Promise<void> {
  await change.written();
  await takenTwice(() =>
    change.transaction.query(
      `update citizens.identifier set standing = 'CONFIRMED', source = $3
       where citizen_id = $1 and system = $2 and valid_to is null and standing <> 'CANCELLED'`,
      [citizenId, field, source],
    ),
  );
}

/** Of confirmed numbers in force no two people hold the same, whoever may see the other. */
async function takenTwice<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (error instanceof Error && 'constraint' in error && error.constraint === 'identifier_confirmed')
      throw refusal('NUMBER_TAKEN', { field: 'id' });
    throw error;
  }
}

export function writeNameKeys(change: Change, citizen: Citizen): void {
  change.late(insertNameKeys, [[citizen.id]]);
}

const rowsOfCitizen = ['identifier', 'name_key', 'verification', 'change'] as const;

/** He takes his rows with him; work that belongs to a unit above stays there. The queue hears of what moved. */
async function moveRows(change: Change, citizen: Citizen, unitBefore: number): Promise<void> {
  for (const table of rowsOfCitizen) {
    await change.transaction.query(`update citizens.${table} set unit_no = $2 where citizen_id = $1`, [
      citizen.id,
      citizen.unitNo,
    ]);
  }
  const moved = await change.transaction.query<CitizenWork>(
    `update citizens.discrepancy set unit_no = $2, version = version + 1 where citizen_id = $1 and unit_no = $3
     returning id, version, kind, field, found_by as "foundBy", state,
       to_char(raised_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "raisedAt"`,
    [citizen.id, citizen.unitNo, unitBefore],
  );
  change.publish(...moved.map((item) => workNotice(item, citizen, unitBefore, citizen.unitNo)));
}

/** Every number he has or had, without those that this change brings. */
async function numbersOf(change: Change, { id }: Citizen): Promise<readonly string[]> {
  const rows = await change.transaction.query<{ readonly value: string }>(
    'select value from citizens.identifier where citizen_id = $1',
    [id],
  );
  return rows.map(({ value }) => value);
}

/** Numbers that a change brings. */
export function numbersIn(after: Side): readonly string[] {
  return numberSystems.map(([name]) => after[name] ?? null).filter((number) => number !== null);
}

/** What the other subgraphs keep of him: hashes of every number he has or had, unit and standing. */
export function replicaOf(
  citizen: Citizen,
  unitBefore: number | null,
  numbers: readonly string[],
  identifierKey: Buffer,
): OutboxEvent {
  return {
    kind: 'CITIZEN',
    subject: citizen.id,
    version: citizen.version,
    unitBefore,
    unitAfter: citizen.unitNo,
    payload: {
      hashes: [...new Set(numbers)].map((number) => hashIdentifier(identifierKey, number).toString('hex')),
      lifeStatus: citizen.lifeStatus,
      mergedInto: citizen.mergedInto ?? null,
    },
  };
}

/** What the history keeps for an undo and does not show. */
export const hiddenValues: readonly string[] = ['confirmed', 'senderUnit', 'permanentList', 'currentList'];

/** Coordinates of the graph for the audit; history's `permanentCommune` is a part of the address. */
export function fieldNames(after: Side): readonly string[] {
  const named = Object.keys(after)
    .filter((name) => !hiddenValues.includes(name))
    .map((name) => `Citizen.${name.replace('Commune', 'Address')}`);
  return [...new Set(named)];
}
