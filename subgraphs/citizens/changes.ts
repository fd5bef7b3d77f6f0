import { randomUUIDv7 } from 'node:crypto';
import { LockMode } from '@mikro-orm/postgresql';
import type { Caller } from '#kernel/auth/principal.ts';
import type { Change, Changes, Refusal } from '#kernel/db/change.ts';
import type { Transaction } from '#kernel/db/database.ts';
import type { OutboxEvent } from '#kernel/db/outbox.ts';
import type { LifeStatus, WorkState } from '#kernel/db/shared.entity.ts';
import { fieldBits, type CitizenField } from '#kernel/domain/citizen-field.ts';
import { isUuid, parseUnitId, unitId } from '#kernel/domain/ids.ts';
import type { PersonalId } from '#kernel/domain/personal-id.ts';
import { fold, nameKeys, sortName, type PersonName } from '#kernel/domain/person-name.ts';
import type { Gender } from '#kernel/domain/gender.ts';
import { dayInVietnam, firstDay, lastDay, precisionOf, type PlainDate } from '#kernel/domain/plain-date.ts';
import { refusal, valueOf, type HubError } from '#kernel/errors/hub-error.ts';
import { hashIdentifier } from '#kernel/identifier-hash.ts';
import { currentPlace } from '#kernel/places/index.ts';
import { parseReason, trueFromOf } from '#kernel/records/stated.ts';
import type { Result } from '#kernel/result.ts';
import { coversUnit } from '#kernel/unit-scope.ts';
import { statedFields, type CitizenInput, type StatedFields } from './change-input.ts';
import { Citizen, CitizenChange, Identifier } from './citizen.entity.ts';
import { flagsOf, identityInconsistent, placeCodeUnknown } from './import-file.ts';
import { valueNames, type ValueName } from './import-match.ts';

/*
 * What clerks change in a citizen. A field that gets another value loses its confirmation; a person out of scope does not exist; a person
 * who moves to another unit takes all his rows with him, here at once and elsewhere by the outbox.
 */

export interface CreateCitizen extends CitizenInput {
  readonly orgUnitId: string;
  readonly trueFrom?: string | null;
}
export interface UpdateCitizen extends CitizenInput {
  readonly id: string;
  readonly version: number;
  readonly orgUnitId?: string | null;
  readonly lifeStatus?: LifeStatus | null;
  readonly trueFrom?: string | null;
}
export interface WithdrawCitizen {
  readonly id: string;
  readonly version: number;
  readonly lifeStatus: LifeStatus;
  readonly reason: string;
  readonly trueFrom?: string | null;
}

/** Id of the citizen that was changed. */
export type Changed = Result<{ readonly citizen: string }, Refusal>;

type Side = Record<string, string | null>;

/** So many times in 24 hours a principal may learn that a number is taken. */
const takenNumbersTold = 20;

export class CitizenChanges {
  readonly #changes: Changes;
  readonly #identifierKey: Buffer;

  constructor(changes: Changes, identifierKey: Buffer) {
    this.#changes = changes;
    this.#identifierKey = identifierKey;
  }

  create(caller: Caller, input: CreateCitizen): Promise<Changed> {
    return this.#changes.mutate({ caller, operation: 'createCitizen', permission: 'citizen:write', input }, async (change) => {
      const today = dayInVietnam(change.now);
      const fields = statedFields(input, today);
      const { fullName, personalId = null } = fields.values;
      if (fullName === undefined) throw refusal('FIELD_REQUIRED', { field: 'fullName' });
      const unitNo = await unitOf(change, input.orgUnitId);
      await refuseTaken(change, personalId, null);
      const citizen = change.em.create(Citizen, {
        id: randomUUIDv7(),
        unitNo,
        // Overwritten below, with the columns that hang on it.
        fullName: '',
        nameFolded: '',
        nameSort: '',
        // Not left to the database: they are looked at before the row is written.
        confirmed: 0,
        flags: [],
      });
      const { after } = write(citizen, fields);
      citizen.flags = flagsOfCitizen(citizen);
      await change.em.flush();
      await writeNumbers(change, citizen, {}, after);
      remember(change, citizen, trueFromOf(input.trueFrom), 'citizen.created', null, {
        ...after,
        orgUnit: unitId(unitNo),
        lifeStatus: 'ACTIVE',
      });
      await change.em.flush();
      await writeNameKeys(change, citizen);
      change.audit('citizen.created', [citizen.id], fieldNames(after));
      change.publish(await this.#replica(change, citizen, null));
      return { citizen: citizen.id };
    });
  }

  update(caller: Caller, input: UpdateCitizen): Promise<Changed> {
    return this.#changes.mutate({ caller, operation: 'updateCitizen', permission: 'citizen:write', input }, async (change) => {
      const today = dayInVietnam(change.now);
      const citizen = await found(change, input);
      const fields = statedFields(input, today);
      const unitBefore = citizen.unitNo;
      const unitNo = input.orgUnitId === undefined ? unitBefore : await unitOf(change, input.orgUnitId);
      const { personalId } = fields.values;
      if (typeof personalId === 'string' && personalId !== citizen.personalId) await refuseTaken(change, personalId, citizen.id);
      const { before, after } = write(citizen, fields);
      if (input.lifeStatus === null) throw refusal('FIELD_REQUIRED', { field: 'lifeStatus' });
      if (input.lifeStatus !== undefined && input.lifeStatus !== citizen.lifeStatus) {
        if (input.lifeStatus !== 'ACTIVE') throw refusal('LIFE_STATUS_HERE', { field: 'lifeStatus' });
        before.lifeStatus = citizen.lifeStatus;
        after.lifeStatus = citizen.lifeStatus = input.lifeStatus;
      }
      if (unitNo !== unitBefore) {
        before.orgUnit = unitId(unitBefore);
        after.orgUnit = unitId(unitNo);
      }
      // Equal to what stands there: nothing happened, so nothing is written down.
      if (Object.keys(after).length === 0) return { citizen: citizen.id };
      citizen.flags = flagsOfCitizen(citizen);
      citizen.updatedAt = change.now;
      if (unitNo !== unitBefore && (await keyStandsIn(change, citizen, unitNo))) {
        // Where he comes to, the sender means another by this key: he lays it down, else he could never go there.
        before.sourceKey = citizen.sourceKey ?? null;
        after.sourceKey = citizen.sourceKey = null;
        citizen.senderUnitNo = null;
      }
      citizen.unitNo = unitNo;
      await change.em.flush();
      if (unitNo !== unitBefore) await moveRows(change, citizen, unitBefore);
      await writeNumbers(change, citizen, before, after);
      remember(change, citizen, trueFromOf(input.trueFrom), 'citizen.changed', before, after);
      await change.em.flush();
      if ('fullName' in after) await writeNameKeys(change, citizen);
      change.audit('citizen.changed', [citizen.id], fieldNames(after));
      const replicated = ['personalId', 'oldIdNumber', 'orgUnit', 'lifeStatus'].some((name) => name in after);
      if (replicated) change.publish(await this.#replica(change, citizen, unitBefore));
      return { citizen: citizen.id };
    });
  }

  withdraw(caller: Caller, input: WithdrawCitizen): Promise<Changed> {
    return this.#changes.mutate({ caller, operation: 'withdrawCitizen', permission: 'citizen:write', input }, async (change) => {
      const citizen = await found(change, input);
      const { lifeStatus } = input;
      if (lifeStatus !== 'MOVED_AWAY' && lifeStatus !== 'DECEASED') throw refusal('LIFE_STATUS_HERE', { field: 'lifeStatus' });
      const reason = valueOf(parseReason(input.reason), 'reason');
      const before = { lifeStatus: citizen.lifeStatus };
      citizen.lifeStatus = lifeStatus;
      citizen.updatedAt = change.now;
      await change.em.flush();
      remember(change, citizen, trueFromOf(input.trueFrom), 'citizen.withdrawn', before, { lifeStatus, reason });
      change.audit('citizen.withdrawn', [citizen.id], ['Citizen.lifeStatus']);
      change.publish(await this.#replica(change, citizen, citizen.unitNo));
      return { citizen: citizen.id };
    });
  }

  /** What the other subgraphs keep of him: hashes of every number he has or had, unit and standing. */
  async #replica(change: Change, citizen: Citizen, unitBefore: number | null): Promise<OutboxEvent> {
    const numbers = await change.em.find(Identifier, { citizenId: citizen.id });
    return {
      kind: 'CITIZEN',
      subject: citizen.id,
      version: citizen.version,
      unitBefore,
      unitAfter: citizen.unitNo,
      payload: {
        hashes: [...new Set(numbers.map(({ value }) => value))].map((number) =>
          hashIdentifier(this.#identifierKey, number).toString('hex'),
        ),
        lifeStatus: citizen.lifeStatus,
        mergedInto: citizen.mergedInto ?? null,
      },
    };
  }
}

/** Locked until the end, so that what is compared and written down as "before" is what stood there. */
async function found(change: Change, input: { readonly id: string; readonly version: number }): Promise<Citizen> {
  const id = input.id.toLowerCase();
  const citizen = isUuid(id) ? await change.em.findOne(Citizen, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE }) : null;
  if (citizen === null) throw refusal('RECORD_UNKNOWN', { field: 'id' });
  if (citizen.version !== input.version) throw refusal('VERSION_STALE', { field: 'version' });
  if (citizen.lifeStatus === 'MERGED') throw refusal('CITIZEN_MERGED', { field: 'id' });
  return citizen;
}

/** A unit of someone else, one that ended and one that never was are the same: not his to give. */
async function unitOf(change: Change, orgUnitId: string | null): Promise<number> {
  if (orgUnitId === null) throw refusal('FIELD_REQUIRED', { field: 'orgUnitId' });
  const number = valueOf(parseUnitId(orgUnitId), 'orgUnitId');
  const [unit] = await change.transaction.query<{ readonly number: number }>(
    'select number from hub.unit where number = $1 and valid_to is null',
    [number],
  );
  if (unit === undefined || !coversUnit(change.units, unit.number)) throw refusal('UNIT_NOT_YOURS', { field: 'orgUnitId' });
  return unit.number;
}

/** The one thing that a caller may learn about people beyond his units: that a number is taken. Each time is written down at its holder. */
async function refuseTaken(change: Change, personalId: string | null, own: string | null): Promise<void> {
  if (personalId === null) return;
  const { principal } = change.by;
  const look = async (transaction: Transaction): Promise<{ holders: readonly string[]; tooOften: HubError | null }> => {
    const [known] = await transaction.query<{ readonly holders: readonly string[]; readonly probed: number }>(
      'select holders, probed from citizens.number_holders($1, $2, $3)',
      [personalId, principal, own],
    );
    const { holders = [], probed = 0 } = known ?? {};
    return {
      holders,
      tooOften: probed >= takenNumbersTold ? refusal('NUMBER_TAKEN_TOO_OFTEN', { field: 'personalId' }) : null,
    };
  };
  const { holders, tooOften } = await look(change.transaction);
  // Before the answer: a number that is free says something too.
  if (tooOften !== null) throw tooOften;
  if (holders.length === 0) return;
  // Counted once more where it is written down, one answer of a principal after the other: those that run at once count each other.
  change.auditRefusal('citizen.number-taken', holders, ['Citizen.personalId'], async (transaction) => {
    await transaction.query(
      `select pg_advisory_xact_lock(hashtextextended('citizens.probed ' || $1::text, 22)) is null as locked`,
      [principal],
    );
    return (await look(transaction)).tooOften;
  });
  throw refusal('NUMBER_TAKEN', { field: 'personalId' });
}

const sheetFields: Readonly<Partial<Record<string, CitizenField>>> = {
  fullName: 'FULL_NAME',
  oldIdNumber: 'OLD_ID_NUMBER',
  personalId: 'PERSONAL_ID',
  dateOfBirth: 'DATE_OF_BIRTH',
  phone: 'PHONE',
  gender: 'GENDER',
  birthplace: 'BIRTHPLACE',
  email: 'EMAIL',
  nativePlace: 'NATIVE_PLACE',
  permanentAddress: 'PERMANENT_ADDRESS',
  permanentCommune: 'PERMANENT_ADDRESS',
};

/** Writes what differs, takes its confirmation back, and says what stood there. */
function write(citizen: Citizen, { values, lists }: StatedFields): { readonly before: Side; readonly after: Side } {
  const before: Side = {};
  const after: Side = {};
  for (const name of valueNames) {
    const value = values[name];
    if (value === undefined) continue;
    const old = read(citizen, name);
    if (old === value && sameList(citizen, name, lists)) continue;
    before[name] = old;
    after[name] = value;
    const sheet = sheetFields[name];
    if (sheet !== undefined) citizen.confirmed = citizen.confirmed & ~fieldBits([sheet]);
    put(citizen, name, value, lists);
  }
  return { before, after };
}

function read(citizen: Citizen, name: ValueName): string | null {
  switch (name) {
    case 'permanentAddress':
      return citizen.permanentText ?? null;
    case 'permanentCommune':
      return citizen.permanentCode ?? null;
    case 'currentAddress':
      return citizen.currentText ?? null;
    case 'currentCommune':
      return citizen.currentCode ?? null;
    default:
      return citizen[name] ?? null;
  }
}

/** A code says nothing without its list: the same code of the other list is another value. */
function sameList(citizen: Citizen, name: ValueName, lists: StatedFields['lists']): boolean {
  if (name === 'permanentCommune') return (citizen.permanentList ?? null) === lists.permanent;
  if (name === 'currentCommune') return (citizen.currentList ?? null) === lists.current;
  return true;
}

function put(citizen: Citizen, name: ValueName, value: string | null, lists: StatedFields['lists']): void {
  switch (name) {
    case 'fullName': {
      const fullName = value as PersonName;
      citizen.fullName = fullName;
      citizen.nameFolded = fold(fullName);
      citizen.nameSort = sortName(fullName);
      return;
    }
    case 'dateOfBirth': {
      const date = value as PlainDate | null;
      citizen.dateOfBirth = date;
      citizen.birthPrecision = date === null ? null : precisionOf(date);
      citizen.bornFrom = date === null ? null : firstDay(date);
      citizen.bornTo = date === null ? null : lastDay(date);
      return;
    }
    case 'gender':
      citizen.gender = value as Gender | null;
      return;
    case 'permanentAddress':
      citizen.permanentText = value;
      return;
    case 'currentAddress':
      citizen.currentText = value;
      return;
    case 'permanentCommune': {
      const now = value === null || lists.permanent === null ? null : currentPlace(value, lists.permanent);
      citizen.permanentCode = value;
      citizen.permanentList = lists.permanent;
      citizen.permanentCurrentCode = now?.currentCode ?? null;
      citizen.permanentConfidence = now?.confidence ?? null;
      return;
    }
    case 'currentCommune': {
      const now = value === null || lists.current === null ? null : currentPlace(value, lists.current);
      citizen.currentCode = value;
      citizen.currentList = lists.current;
      citizen.currentCurrentCode = now?.currentCode ?? null;
      citizen.currentConfidence = now?.confidence ?? null;
      return;
    }
    default:
      citizen[name] = value;
  }
}

/** What an import or a reconciliation said stays, except for what the changed values decide themselves. */
function flagsOfCitizen(citizen: Citizen): string[] {
  const derived = [identityInconsistent, placeCodeUnknown];
  const kept = citizen.flags.filter((flag) => !derived.includes(flag));
  // Only values that were parsed come into these columns.
  const personalId = (citizen.personalId ?? null) as PersonalId | null;
  const dateOfBirth = (citizen.dateOfBirth ?? null) as PlainDate | null;
  return [...kept, ...flagsOf({ personalId, dateOfBirth, gender: citizen.gender ?? null })];
}

function remember(change: Change, citizen: Citizen, from: string | null, action: string, before: Side | null, after: Side): void {
  change.em.create(CitizenChange, {
    id: randomUUIDv7(),
    citizenId: citizen.id,
    unitNo: citizen.unitNo,
    version: citizen.version,
    effectiveFrom: from,
    ...change.by,
    action,
    before,
    after,
  });
}

const numberSystems = [
  ['personalId', 'PERSONAL_ID'],
  ['oldIdNumber', 'OLD_ID_NUMBER'],
] as const;

/** A number that was replaced or taken away ends and still finds the person; a new one is claimed until a source confirms it. */
async function writeNumbers(change: Change, citizen: Citizen, before: Side, after: Side): Promise<void> {
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
    if (value !== null) {
      change.em.create(Identifier, {
        id: randomUUIDv7(),
        citizenId: citizen.id,
        unitNo: citizen.unitNo,
        system,
        value,
        standing: 'CLAIMED',
        source: 'CLERK',
      });
    }
  }
}

async function writeNameKeys(change: Change, citizen: Citizen): Promise<void> {
  await change.transaction.query('delete from citizens.name_key where citizen_id = $1', [citizen.id]);
  await change.transaction.query(
    'insert into citizens.name_key (unit_no, key, citizen_id) select $1, key, $2 from unnest($3::text[]) key',
    [citizen.unitNo, citizen.id, nameKeys(citizen.fullName as PersonName)],
  );
}

async function keyStandsIn(change: Change, { id, sourceKey, senderUnitNo }: Citizen, unitNo: number): Promise<boolean> {
  if ((sourceKey ?? null) === null) return false;
  const others = await change.transaction.query(
    'select from citizens.citizen where sender_unit_no = $1 and source_key = $2 and unit_no = $3 and id <> $4',
    [senderUnitNo, sourceKey, unitNo, id],
  );
  return others.length > 0;
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
  const moved = await change.transaction.query<MovedWork>(
    `update citizens.discrepancy set unit_no = $2, version = version + 1 where citizen_id = $1 and unit_no = $3
     returning id, version, kind, field, found_by as "foundBy", state,
       to_char(raised_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "raisedAt"`,
    [citizen.id, citizen.unitNo, unitBefore],
  );
  change.publish(
    ...moved.map(({ id, version, kind, field, foundBy, state, raisedAt }): OutboxEvent => ({
      kind: 'WORK',
      subject: id,
      version,
      unitBefore,
      unitAfter: citizen.unitNo,
      payload: { source: 'CITIZENS', kind, field, citizenId: citizen.id, citizenUnit: citizen.unitNo, foundBy, state, raisedAt },
    })),
  );
}

interface MovedWork {
  readonly id: string;
  readonly version: number;
  readonly kind: string;
  readonly field: string | null;
  readonly foundBy: string;
  readonly state: WorkState;
  readonly raisedAt: string;
}

/** Coordinates of the graph for the audit; history's `permanentCommune` is a part of the address. */
function fieldNames(after: Side): readonly string[] {
  const named = Object.keys(after).map((name) => `Citizen.${name.replace('Commune', 'Address')}`);
  return [...new Set(named)];
}
