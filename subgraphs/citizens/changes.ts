import { randomUUIDv7 } from 'node:crypto';
import { scopeOf } from '#kernel/auth/policy.ts';
import type { Caller } from '#kernel/auth/principal.ts';
import type { Change, Changes, Refusal } from '#kernel/db/change.ts';
import type { LifeStatus } from '#kernel/db/shared.entity.ts';
import { citizenFields, type CitizenField } from '#kernel/domain/citizen-field.ts';
import { parseUnitId, unitId } from '#kernel/domain/ids.ts';
import { dayInVietnam } from '#kernel/domain/plain-date.ts';
import { refusal, valueOf } from '#kernel/errors/hub-error.ts';
import { listsWith, type PlaceList } from '#kernel/places/index.ts';
import { parseReason, trueFromOf } from '#kernel/records/stated.ts';
import {
  changeToUndo,
  fieldsWritten,
  refuseBuiltUpon,
  undoing,
  valuesBefore,
  type PastChange,
  type UndoChange,
} from '#kernel/records/undo.ts';
import type { Result } from '#kernel/result.ts';
import { statedFields, type CitizenInput, type StatedFields } from './change-input.ts';
import { lockedCitizen, placeOf, refuseTaken, unitOf } from './citizen-locks.ts';
import { Citizen } from './citizen.entity.ts';
import { flagsOfCitizen, writeValues } from './citizen-values.ts';
import { keepInconsistency } from './citizen-work.ts';
import { valueNames } from './import-match.ts';
import {
  fieldNames,
  hiddenValues,
  numbersIn,
  remember,
  replicaOf,
  rewrite,
  writeNameKeys,
  writeNumbers,
  type Rewrite,
  type SenderKey,
} from './rewrite.ts';
import { reopenWork, settled, type SettleDiscrepancy, type Settled } from './settlement.ts';

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

const byClerk = { source: 'CLERK', reopened: false } as const;
const nothingStated: StatedFields = { values: {}, lists: { permanent: null, current: null } };
const restored = [...valueNames, ...hiddenValues, 'orgUnit', 'lifeStatus', 'sourceKey'];
const changeTable = { table: 'citizens.change', record: 'citizen_id', unitColumns: ['unit_no'] } as const;

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
      const unitNo = await placeOf(change, input.orgUnitId, personalId);
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
      const { after } = writeValues(citizen, fields);
      citizen.flags = flagsOfCitizen(citizen);
      await change.em.flush();
      await writeNumbers(change, citizen, {}, after, byClerk);
      const trueFrom = trueFromOf(input.trueFrom);
      const born = { ...after, orgUnit: unitId(unitNo), lifeStatus: 'ACTIVE' };
      remember(change, citizen, { trueFrom, by: change.by, action: 'citizen.created' }, null, born);
      writeNameKeys(change, citizen);
      if (citizen.flags.length > 0) await keepInconsistency(change, citizen, Object.keys(after));
      change.audit('citizen.created', [citizen.id], fieldNames(after));
      change.publish(replicaOf(citizen, null, numbersIn(after), this.#identifierKey));
      return { citizen: citizen.id };
    });
  }

  update(caller: Caller, input: UpdateCitizen): Promise<Changed> {
    return this.#changes.mutate({ caller, operation: 'updateCitizen', permission: 'citizen:write', input }, async (change) => {
      const today = dayInVietnam(change.now);
      const citizen = await lockedCitizen(change, input);
      const fields = statedFields(input, today);
      const unitNo = input.orgUnitId === undefined ? citizen.unitNo : await unitOf(change, input.orgUnitId);
      const { personalId } = fields.values;
      if (typeof personalId === 'string' && personalId !== citizen.personalId) await refuseTaken(change, personalId, citizen.id);
      const { lifeStatus = citizen.lifeStatus } = input;
      if (lifeStatus === null) throw refusal('FIELD_REQUIRED', { field: 'lifeStatus' });
      if (lifeStatus !== citizen.lifeStatus && lifeStatus !== 'ACTIVE')
        throw refusal('LIFE_STATUS_HERE', { field: 'lifeStatus' });
      await this.#rewrite(change, citizen, {
        fields,
        unitNo,
        lifeStatus,
        number: byClerk,
        trueFrom: trueFromOf(input.trueFrom),
        action: 'citizen.changed',
        by: change.by,
      });
      return { citizen: citizen.id };
    });
  }

  withdraw(caller: Caller, input: WithdrawCitizen): Promise<Changed> {
    return this.#changes.mutate({ caller, operation: 'withdrawCitizen', permission: 'citizen:write', input }, async (change) => {
      const citizen = await lockedCitizen(change, input);
      const { lifeStatus } = input;
      if (lifeStatus !== 'MOVED_AWAY' && lifeStatus !== 'DECEASED') throw refusal('LIFE_STATUS_HERE', { field: 'lifeStatus' });
      const reason = valueOf(parseReason(input.reason), 'reason');
      await this.#rewrite(change, citizen, {
        fields: nothingStated,
        unitNo: citizen.unitNo,
        lifeStatus,
        number: byClerk,
        trueFrom: trueFromOf(input.trueFrom),
        action: 'citizen.withdrawn',
        by: change.by,
        said: { reason },
        always: true,
      });
      return { citizen: citizen.id };
    });
  }

  /** What somebody decides about a difference; what it changes in the citizen is one change with it. */
  settle(caller: Caller, input: SettleDiscrepancy): Promise<Settled> {
    return this.#changes.mutate({ caller, operation: 'settleDiscrepancy', permission: 'discrepancy:settle', input }, (change) =>
      settled(change, input, this.#identifierKey),
    );
  }

  /**
   * What a change wrote is put back, with the confirmation it took, where nothing newer stands on it; a decision about a difference is
   * taken back with what it wrote, and the work is open again.
   */
  undo(caller: Caller, input: UndoChange): Promise<Changed> {
    return this.#changes.mutate(
      { caller, operation: 'undoCitizenChange', permission: 'citizen:write', input },
      async (change) => {
        const past = await changeToUndo(change, changeTable, input.changeId);
        const decides = past.after.decision !== undefined;
        if (decides && scopeOf(caller, 'discrepancy:settle') === null) throw refusal('ROLE_LACKS_RIGHT');
        const citizen = await lockedCitizen(change, { id: past.recordId, version: input.version });
        await refuseBuiltUpon(change, changeTable, past, standsOn);
        const values = valuesBefore(past, restored);
        const { personalId } = values;
        if (typeof personalId === 'string') await refuseTaken(change, personalId, citizen.id);
        const unitNo = values.orgUnit === undefined ? citizen.unitNo : await unitOf(change, values.orgUnit);
        const conflicted = decides ? await reopenWork(change, citizen, past) : citizen.conflicted;
        const senderKey = senderKeyOf(values);
        await this.#rewrite(change, citizen, {
          fields: fieldsOf(values),
          unitNo,
          lifeStatus: values.lifeStatus === undefined ? citizen.lifeStatus : (values.lifeStatus as LifeStatus),
          ...(senderKey !== undefined && { senderKey }),
          confirmed: {
            of: [...sheetOf(past.before?.confirmed), ...sheetOf(past.after.confirmed)],
            are: sheetOf(past.before?.confirmed),
          },
          conflicted,
          number: { ...byClerk, reopened: true },
          trueFrom: null,
          action: decides ? 'discrepancy.reopened' : 'citizen.changed',
          by: undoing(change, past),
          ...(past.after.discrepancy !== undefined && { said: { discrepancy: past.after.discrepancy } }),
          always: true,
        });
        return { citizen: citizen.id };
      },
    );
  }

  #rewrite(change: Change, citizen: Citizen, to: Rewrite): Promise<string | null> {
    return rewrite(change, citizen, to, this.#identifierKey);
  }
}

/** A later decision about the same work stands on a decision. */
function standsOn(past: PastChange): readonly string[] {
  const { discrepancy } = past.after;
  const fields = fieldsWritten(past).filter((field) => !hiddenValues.includes(field));
  return typeof discrepancy === 'string' ? [...fields, `discrepancy ${discrepancy}`] : fields;
}

type PastValues = Readonly<Record<string, string | null>>;

/** Values of the history were good when they were written. */
function fieldsOf(values: PastValues): StatedFields {
  const stated = Object.fromEntries(valueNames.flatMap((name) => (name in values ? [[name, values[name] ?? null]] : [])));
  return {
    values: stated,
    lists: {
      permanent: listOf(values.permanentList, values.permanentCommune),
      current: listOf(values.currentList, values.currentCommune),
    },
  };
}

function listOf(list: string | null | undefined, code: string | null | undefined): PlaceList | null {
  if (typeof code !== 'string') return null;
  const lists = listsWith(code);
  return lists.find((one) => one === list) ?? lists[0] ?? null;
}

/** `undefined`: the change left it as it was. */
function senderKeyOf({ sourceKey, senderUnit }: PastValues): SenderKey | null | undefined {
  if (sourceKey === undefined || sourceKey === null) return sourceKey;
  return typeof senderUnit === 'string' ? { key: sourceKey, sender: valueOf(parseUnitId(senderUnit), 'changeId') } : null;
}

function sheetOf(names: string | null | undefined): readonly CitizenField[] {
  const listed = (names ?? '').split(' ');
  return citizenFields.filter((field) => listed.includes(field));
}
