import { randomUUIDv7 } from 'node:crypto';
import { LockMode } from '@mikro-orm/postgresql';
import { scopeOf } from '#kernel/auth/policy.ts';
import type { Change, Refusal } from '#kernel/db/change.ts';
import type { OutboxEvent } from '#kernel/db/outbox.ts';
import { citizenFields, fieldBits, type CitizenField } from '#kernel/domain/citizen-field.ts';
import { isUuid, parseUnitId, unitId } from '#kernel/domain/ids.ts';
import { dayInVietnam } from '#kernel/domain/plain-date.ts';
import { refusal, valueOf } from '#kernel/errors/hub-error.ts';
import { listsWith } from '#kernel/places/index.ts';
import { parseWritten, stated } from '#kernel/records/stated.ts';
import type { PastChange } from '#kernel/records/undo.ts';
import type { Result } from '#kernel/result.ts';
import { statedFields, type CitizenInput, type StatedFields } from './change-input.ts';
import { refuseTaken } from './citizen-locks.ts';
import { Citizen, Discrepancy, Verification } from './citizen.entity.ts';
import type { Side } from './citizen-values.ts';
import { workNotice } from './citizen-work.ts';
import { communeInWords } from './place-matching.ts';
import { confirmNumber, remember, rewrite } from './rewrite.ts';

/*
 * What people decide about a difference. The decision is a change of the citizen it is about, so it stands in his history and is undone
 * like any other; what the other side said stays in the row, unseen, so that it can be.
 */

export type SettleDecision = 'KEEP' | 'TAKE' | 'ASK_AGAIN' | 'HAND_OVER';

export interface SettleDiscrepancy {
  readonly id: string;
  readonly version: number;
  readonly decision: SettleDecision;
  readonly orgUnitId?: string | null;
  readonly note?: string | null;
}

export interface SettledIds extends Readonly<Record<string, string>> {
  readonly discrepancy: string;
  readonly citizen: string;
  /** The change by which it can be undone. */
  readonly change: string;
}
export type Settled = Result<SettledIds, Refusal>;

/** Who is believed when people take his word: the value counts as confirmed. What a file or a card said is only stated. */
const trustedSources: Readonly<Record<string, string>> = { RECONCILE: 'POPULATION' };

export async function settled(change: Change, input: SettleDiscrepancy, identifierKey: Buffer): Promise<SettledIds> {
  const { item, citizen } = await found(change, input);
  const { decision } = input;
  const note = stated('note', input.note ?? undefined, parseWritten);
  const said: Side = { decision, discrepancy: item.id, ...note };
  const by = { by: change.by, trueFrom: null, action: 'discrepancy.settled' as const };
  const done = (id: string): SettledIds => ({ discrepancy: item.id, citizen: citizen.id, change: id });
  switch (decision) {
    case 'HAND_OVER': {
      const unitBefore = item.unitNo;
      const receiver = valueOf(parseUnitId(input.orgUnitId ?? ''), 'orgUnitId');
      await handOver(change, citizen, item, receiver, 'orgUnitId');
      change.audit(by.action, [citizen.id], ['Discrepancy.orgUnit']);
      return done(remember(change, citizen, by, { handedFrom: unitId(unitBefore) }, { ...said, handedTo: unitId(receiver) }));
    }
    case 'ASK_AGAIN':
      if (citizen.lifeStatus === 'MERGED') throw refusal('CITIZEN_MERGED', { field: 'id' });
      await decide(change, citizen, item, 'LEASED', decision);
      change.audit(by.action, [citizen.id], ['Discrepancy.state']);
      return done(remember(change, citizen, by, {}, said));
    case 'KEEP':
    case 'TAKE': {
      const fields = decision === 'TAKE' ? await theirsOf(change, citizen, item) : nothingStated;
      const trusted = decision === 'TAKE' ? (trustedSources[item.foundBy] ?? null) : null;
      const field = item.field as CitizenField;
      await decide(change, citizen, item, 'SETTLED', decision);
      const id = await rewrite(
        change,
        citizen,
        {
          ...by,
          fields,
          unitNo: citizen.unitNo,
          lifeStatus: citizen.lifeStatus,
          ...(trusted !== null && { confirmed: { of: [field], are: [field] } }),
          conflicted: item.kind === 'DIFFERENT' ? citizen.conflicted & ~fieldBits([field]) : citizen.conflicted,
          number: { source: trusted ?? item.foundBy, reopened: false },
          said,
          always: true,
        },
        identifierKey,
      );
      if (trusted !== null) await confirm(change, citizen, item, trusted);
      return done(id ?? '');
    }
  }
}

/** The work is open again, where nobody has raised the same since; which fields of the citizen are in conflict then. */
export async function reopenWork(change: Change, citizen: Citizen, past: PastChange): Promise<number> {
  const id = past.after.discrepancy ?? '';
  const item = await change.em.findOne(Discrepancy, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  if (item === null) throw refusal('CHANGE_UNKNOWN', { field: 'changeId' });
  if (past.after.decision === 'HAND_OVER') {
    const receiver = valueOf(parseUnitId(past.before?.handedFrom ?? ''), 'changeId');
    await handOver(change, citizen, item, receiver, 'changeId');
    return citizen.conflicted;
  }
  const { field, kind } = item;
  const [other] = await change.em.find(
    Discrepancy,
    { citizenId: citizen.id, field, kind, state: { $in: ['OPEN', 'LEASED'] }, id: { $ne: id } },
    { limit: 1 },
  );
  if (other !== undefined) return citizen.conflicted;
  await decide(change, citizen, item, 'OPEN', null);
  return kind === 'DIFFERENT' ? citizen.conflicted | fieldBits([field as CitizenField]) : citizen.conflicted;
}

/** The person first, as everybody who writes him does; then the work, as it stands behind his lock. */
async function found(
  change: Change,
  input: SettleDiscrepancy,
): Promise<{ readonly item: Discrepancy; readonly citizen: Citizen }> {
  const id = input.id.toLowerCase();
  const unknown = refusal('RECORD_UNKNOWN', { field: 'id' });
  const seen = isUuid(id) ? await change.em.findOne(Discrepancy, { id }) : null;
  if (seen === null) throw unknown;
  const citizen = await change.em.findOne(Citizen, { id: String(seen.citizenId) }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  const item = await change.em.findOne(Discrepancy, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE, refresh: true });
  if (citizen === null || item === null) throw unknown;
  if (item.state !== 'OPEN' && item.state !== 'LEASED') throw refusal('WORK_DECIDED', { field: 'id' });
  if (item.version !== input.version) throw refusal('VERSION_STALE', { field: 'version' });
  return { item, citizen };
}

async function decide(
  change: Change,
  citizen: Citizen,
  item: Discrepancy,
  state: Discrepancy['state'],
  decision: SettleDecision | null,
): Promise<void> {
  item.state = state;
  item.decision = decision;
  item.settledAt = state === 'SETTLED' ? change.now : null;
  item.settledBy = decision === null ? null : change.by.principal;
  await change.em.flush();
  change.publish(notice(item, citizen, item.unitNo, item.unitNo));
}

function notice(item: Discrepancy, citizen: Citizen, unitBefore: number, unitAfter: number): OutboxEvent {
  const { id, version, kind, field, foundBy, state, raisedAt } = item;
  const told = { id, version, kind, field, foundBy, state, raisedAt: raisedAt.toISOString() };
  return workNotice(told, citizen, unitBefore, unitAfter);
}

/** Who receives may lie above the caller, where he may not write: the database looks whether the unit is on the way up. */
async function handOver(change: Change, citizen: Citizen, item: Discrepancy, receiver: number, field: string): Promise<void> {
  const [handed] = await change.transaction.query<{ readonly version: number }>(
    'select version from citizens.hand_over_discrepancy($1, $2)',
    [item.id, receiver],
  );
  if (handed === undefined) throw refusal('HAND_OVER_UNIT', { field });
  const { id, kind, foundBy, unitNo, raisedAt } = item;
  const moved = { id, kind, field: item.field, foundBy, version: handed.version, state: 'OPEN' as const };
  change.publish(workNotice({ ...moved, raisedAt: raisedAt.toISOString() }, citizen, unitNo, receiver));
}

const nothingStated: StatedFields = { values: {}, lists: { permanent: null, current: null } };

const inputNames: Readonly<Record<CitizenField, Exclude<keyof CitizenInput, 'permanentAddress' | 'currentAddress'> | null>> = {
  FULL_NAME: 'fullName',
  OLD_ID_NUMBER: 'oldIdNumber',
  PERSONAL_ID: 'personalId',
  DATE_OF_BIRTH: 'dateOfBirth',
  PHONE: 'phone',
  GENDER: 'gender',
  BIRTHPLACE: 'birthplace',
  EMAIL: 'email',
  NATIVE_PLACE: 'nativePlace',
  PERMANENT_ADDRESS: null,
};

/** The other side's value, checked like one that a clerk states; taking it needs the right to change citizens. */
async function theirsOf(change: Change, citizen: Citizen, item: Discrepancy): Promise<StatedFields> {
  if (scopeOf(change.caller, 'citizen:write') === null) throw refusal('ROLE_LACKS_RIGHT');
  if (citizen.lifeStatus === 'MERGED') throw refusal('CITIZEN_MERGED', { field: 'id' });
  const theirs = item.theirs ?? null;
  if (theirs === null || (item.kind !== 'DIFFERENT' && item.kind !== 'ONLY_THEIRS')) {
    throw refusal('NOTHING_TO_TAKE', { field: 'decision' });
  }
  const name = inputNames[item.field as CitizenField];
  if (name === null) return addressOf(theirs);
  const fields = statedFields({ [name]: theirs }, dayInVietnam(change.now));
  const { personalId } = fields.values;
  if (typeof personalId === 'string' && personalId !== citizen.personalId) await refuseTaken(change, personalId, citizen.id);
  return fields;
}

/** A source gives a place as the code of its commune (the newest list that knows it counts), or as text, which names its commune. */
function addressOf(theirs: string): StatedFields {
  const list = /^\d{5}$/.test(theirs) ? (listsWith(theirs).at(-1) ?? null) : null;
  if (list !== null) return { values: { permanentCommune: theirs }, lists: { permanent: list, current: null } };
  const commune = communeInWords(theirs);
  return commune === null
    ? { values: { permanentAddress: theirs }, lists: nothingStated.lists }
    : {
        values: { permanentAddress: theirs, permanentCommune: commune.code },
        lists: { permanent: commune.list, current: null },
      };
}

/** Number, verification and the sheet's source and time: what a trusted source said when the difference was found. */
async function confirm(change: Change, citizen: Citizen, item: Discrepancy, source: string): Promise<void> {
  const field = item.field as CitizenField;
  if (field === 'PERSONAL_ID' || field === 'OLD_ID_NUMBER') await confirmNumber(change, citizen.id, field, source);
  change.em.create(Verification, {
    id: randomUUIDv7(),
    citizenId: citizen.id,
    unitNo: citizen.unitNo,
    field,
    outcome: 'MATCH',
    source,
    asOf: item.raisedAt,
    checkedAt: change.now,
  });
  const place = citizenFields.indexOf(field) + 1;
  await change.transaction.query(
    `update citizens.citizen set check_source[${String(place)}] = $2, checked_at[${String(place)}] = $3 where id = $1`,
    [citizen.id, source, item.raisedAt.toISOString()],
  );
}
