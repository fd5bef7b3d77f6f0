import { randomUUIDv7 } from 'node:crypto';
import { LockMode } from '@mikro-orm/postgresql';
import type { AuditAction } from '#kernel/audit/actions.ts';
import type { Caller } from '#kernel/auth/principal.ts';
import type { Change, Changes, Refusal } from '#kernel/db/change.ts';
import type { Parsed } from '#kernel/domain/brand.ts';
import { isUuid, parseUnitId, unitId } from '#kernel/domain/ids.ts';
import { parsePersonalId } from '#kernel/domain/personal-id.ts';
import { parsePlainDay } from '#kernel/domain/plain-date.ts';
import { parseResultCode, readResultCode, type ResultCode, type ResultCodeReason } from '#kernel/domain/result-code.ts';
import { refusal, valueOf } from '#kernel/errors/hub-error.ts';
import { hashIdentifier } from '#kernel/identifier-hash.ts';
import { mayGo } from '#kernel/records/forward.ts';
import { announce, historyRow } from '#kernel/records/remember.ts';
import { holderById, holdersOf, type Holder } from '#kernel/records/holder.ts';
import { stands, writeStated, type Side } from '#kernel/records/sides.ts';
import { knownWord, parseReason, parseWritten, stated } from '#kernel/records/stated.ts';
import { changeToUndo, refuseBuiltUpon, undoing, valuesBefore, type UndoChange } from '#kernel/records/undo.ts';
import type { Result } from '#kernel/result.ts';
import { coversUnit } from '#kernel/unit-scope.ts';
import { resultWays } from './result-state.ts';
import { DigitizedResult, ResultChange, type ResultKind, type ResultState } from './result.entity.ts';

/*
 * What clerks change in the register of papers. A paper belongs to a citizen whom the caller sees, or waits at a unit of the caller for one
 * whose number alone is known; a paper in force stands once under its code; a withdrawn one stays as it is.
 */

interface ResultInput {
  readonly code?: string | null;
  readonly name?: string | null;
  readonly kind?: ResultKind | null;
  readonly issuingAgency?: string | null;
  readonly issuedOn?: string | null;
  readonly validTo?: string | null;
  readonly excerpt?: string | null;
  readonly trueFrom?: string | null;
}
export interface CreateResult extends ResultInput {
  readonly citizenId?: string | null;
  readonly personalId?: string | null;
  readonly orgUnitId?: string | null;
}
export interface UpdateResult extends ResultInput {
  readonly id: string;
  readonly version: number;
  readonly state?: ResultState | null;
}
export interface WithdrawResult {
  readonly id: string;
  readonly version: number;
  readonly reason: string;
  readonly trueFrom?: string | null;
}

/** Id of the result that was changed. */
export type ChangedResult = Result<{ readonly digitizedResult: string }, Refusal>;

const statedFields = ['code', 'name', 'kind', 'issuingAgency', 'issuedOn', 'validTo', 'excerpt'] as const;
type StatedField = (typeof statedFields)[number];
type StatedValues = Readonly<Partial<Record<StatedField, string | null>>>;

const changeTable = { table: 'results.change', record: 'record_id', unitColumns: ['unit_no'] } as const;

/** Whose the paper is: a citizen, or whoever has the number of this hash. */
type Owner = Holder | { readonly citizenId: null; readonly unitNo: number; readonly waitingHash: Buffer };

export class ResultChanges {
  readonly #changes: Changes;
  readonly #identifierKey: Buffer;

  constructor(changes: Changes, identifierKey: Buffer) {
    this.#changes = changes;
    this.#identifierKey = identifierKey;
  }

  create(caller: Caller, input: CreateResult): Promise<ChangedResult> {
    return this.#changes.mutate(
      { caller, operation: 'createDigitizedResult', permission: 'result:write', input },
      async (change) => {
        const values = valuesOf(input, null);
        const { name, code = null } = values;
        if (typeof name !== 'string') throw refusal('FIELD_REQUIRED', { field: 'name' });
        const owner = await this.#ownerOf(change, input, code);
        const result = change.em.create(DigitizedResult, {
          id: randomUUIDv7(),
          citizenId: owner.citizenId,
          unitNo: owner.unitNo,
          waitingHash: 'waitingHash' in owner ? owner.waitingHash : null,
          name: '',
          state: 'IN_FORCE',
          fileState: 'NONE',
          useCount: 0,
        });
        const { after } = writeStated(result, statedFields, values);
        await refuseTwin(change, result);
        await change.em.flush();
        remember(change, result, input.trueFrom, 'result.created', null, {
          ...stands(after),
          state: 'IN_FORCE',
          fileState: 'NONE',
          useCount: '0',
          orgUnit: unitId(owner.unitNo),
          ...(owner.citizenId !== null && { citizen: owner.citizenId }),
        });
        return { digitizedResult: result.id };
      },
    );
  }

  update(caller: Caller, input: UpdateResult): Promise<ChangedResult> {
    return this.#changes.mutate(
      { caller, operation: 'updateDigitizedResult', permission: 'result:write', input },
      async (change) => {
        const result = await found(change, input);
        const values = valuesOf(input, result);
        if (typeof values.code === 'string' && values.code !== result.code)
          await this.#refuseForeign(change, result, values.code);
        const { before, after } = writeStated(result, statedFields, values);
        if (input.state === null) throw refusal('FIELD_REQUIRED', { field: 'state' });
        if (input.state !== undefined && input.state !== result.state) {
          if (!mayGo(resultWays, result.state, input.state)) throw refusal('RESULT_STATE_WAY', { field: 'state' });
          before.state = result.state;
          after.state = result.state = input.state;
        }
        if (Object.keys(after).length === 0) return { digitizedResult: result.id };
        // Before the next statement, which flushes what was changed: one change is one version.
        result.updatedAt = change.now;
        await refuseTwin(change, result);
        await change.em.flush();
        remember(change, result, input.trueFrom, 'result.changed', before, after);
        return { digitizedResult: result.id };
      },
    );
  }

  withdraw(caller: Caller, input: WithdrawResult): Promise<ChangedResult> {
    return this.#changes.mutate(
      { caller, operation: 'withdrawDigitizedResult', permission: 'result:write', input },
      async (change) => {
        const result = await found(change, input);
        const reason = valueOf(parseReason(input.reason), 'reason');
        const before = { state: result.state };
        result.state = 'WITHDRAWN';
        result.updatedAt = change.now;
        await change.em.flush();
        remember(change, result, input.trueFrom, 'result.withdrawn', before, { state: result.state, reason });
        return { digitizedResult: result.id };
      },
    );
  }

  /** What a change wrote is put back where nothing newer stands on it; a withdrawal is taken back in the same way. */
  undo(caller: Caller, input: UndoChange): Promise<ChangedResult> {
    return this.#changes.mutate(
      { caller, operation: 'undoDigitizedResultChange', permission: 'result:write', input },
      async (change) => {
        const past = await changeToUndo(change, changeTable, input.changeId);
        const result = await found(change, { id: past.recordId, version: input.version }, { withdrawn: true });
        await refuseBuiltUpon(change, changeTable, past);
        const { state, ...values } = valuesBefore(past, [...statedFields, 'state']);
        if (result.state === 'WITHDRAWN' && state === undefined) throw refusal('RECORD_WITHDRAWN', { field: 'changeId' });
        if (typeof values.code === 'string') await this.#refuseForeign(change, result, values.code);
        const { before, after } = writeStated(result, statedFields, values);
        if (typeof state === 'string') {
          before.state = result.state;
          after.state = result.state = state as ResultState;
        }
        refuseBackwards(result.issuedOn, result.validTo, 'changeId');
        result.updatedAt = change.now;
        await refuseTwin(change, result);
        await change.em.flush();
        remember({ ...change, by: undoing(change, past) }, result, null, 'result.changed', before, after);
        return { digitizedResult: result.id };
      },
    );
  }

  async #ownerOf(change: Change, input: CreateResult, code: string | null): Promise<Owner> {
    const printed = code === null ? null : printedOwner(code);
    if (typeof input.citizenId === 'string') {
      if (typeof input.personalId === 'string') throw refusal('LOOKUP_ONE_KEY', { field: 'personalId' });
      const holder = await holderById(change, 'results', input.citizenId);
      await this.#refuseOthersNumber(change, holder.citizenId, printed);
      return holder;
    }
    const { personalId = null } = stated('personalId', input.personalId, parsePersonalId);
    const number = personalId ?? printed;
    if (number === null) throw refusal('RESULT_OWNER_NEEDED', { field: 'citizenId' });
    if (printed !== null && printed !== number) {
      // Both may be his, an old number and the present one: then the citizen himself must be named.
      throw refusal('RESULT_OWNER_OTHER', { field: 'code' });
    }
    const hash = hashIdentifier(this.#identifierKey, number);
    const [holder, second] = await holdersOf(change, 'results', hash);
    if (second !== undefined) throw refusal('RESULT_OWNER_TWO', { field: personalId === null ? 'code' : 'personalId' });
    return holder ?? { citizenId: null, unitNo: await waitingUnit(change, input.orgUnitId ?? null), waitingHash: hash };
  }

  /** A code that is changed must go on naming the person whose paper it is. */
  async #refuseForeign(change: Change, { citizenId, waitingHash }: DigitizedResult, code: string): Promise<void> {
    const printed = printedOwner(code);
    if (typeof citizenId === 'string') {
      await this.#refuseOthersNumber(change, citizenId, printed);
    } else if (printed !== null && waitingHash instanceof Uint8Array) {
      const hash = hashIdentifier(this.#identifierKey, printed);
      if (!hash.equals(waitingHash)) throw refusal('RESULT_OWNER_OTHER', { field: 'code' });
    }
  }

  /** A citizen of whom no number is known may have any. */
  async #refuseOthersNumber(change: Change, citizenId: string, printed: string | null): Promise<void> {
    if (printed === null) return;
    const [known] = await change.transaction.query<{ readonly numbers: number; readonly his: boolean }>(
      `select count(*)::int as numbers, coalesce(bool_or(hash = $2), false) as his from results.citizen_hash where citizen_id = $1`,
      [citizenId, hashIdentifier(this.#identifierKey, printed)],
    );
    if (known !== undefined && known.numbers > 0 && !known.his) throw refusal('RESULT_OWNER_OTHER', { field: 'code' });
  }
}

/** The owner of a code as a number of a person; other owners are organisations or numbers of other systems. */
function printedOwner(code: string): string | null {
  const { owner } = readResultCode(code as ResultCode);
  return /^(?:[0-9]{9}|[0-9]{12})$/.test(owner) ? owner : null;
}

/** Where a paper waits: a unit in force of the caller, by itself his own. */
async function waitingUnit(change: Change, orgUnitId: string | null): Promise<number> {
  const number = orgUnitId === null ? change.caller.principal.unitNo : valueOf(parseUnitId(orgUnitId), 'orgUnitId');
  const [unit] = await change.transaction.query<{ readonly number: number }>(
    'select number from hub.unit where number = $1 and valid_to is null',
    [number],
  );
  if (unit === undefined || !coversUnit(change.units, unit.number)) throw refusal('UNIT_NOT_YOURS', { field: 'orgUnitId' });
  return unit.number;
}

async function found(
  change: Change,
  input: { readonly id: string; readonly version: number },
  { withdrawn = false }: { readonly withdrawn?: boolean } = {},
): Promise<DigitizedResult> {
  const id = input.id.toLowerCase();
  const result = isUuid(id) ? await change.em.findOne(DigitizedResult, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE }) : null;
  if (result === null) throw refusal('RECORD_UNKNOWN', { field: 'id' });
  if (result.version !== input.version) throw refusal('VERSION_STALE', { field: 'version' });
  if (result.state === 'WITHDRAWN' && !withdrawn) throw refusal('RECORD_WITHDRAWN', { field: 'id' });
  return result;
}

/**
 * A paper in force stands once under its code, at its citizen or waiting for him. Those who write one code take turns. Papers out of the
 * caller's scope are not looked at: whose code is whose is told by the code itself.
 */
async function refuseTwin(change: Change, { id, code, state, citizenId }: DigitizedResult): Promise<void> {
  if (typeof code !== 'string' || state !== 'IN_FORCE') return;
  await change.transaction.query(`select pg_advisory_xact_lock(hashtextextended('results.code ' || $1, 22)) is null as locked`, [
    code,
  ]);
  const twins = await change.transaction.query(
    `select from results.result
     where code = $1 and state = 'IN_FORCE' and id <> $2 and (citizen_id is null or $3::uuid is null or citizen_id = $3::uuid)
       and coalesce(unit_no <@ $4::int4multirange, false)`,
    [code, id, citizenId ?? null, change.units],
  );
  if (twins.length > 0) throw refusal('RESULT_KNOWN', { field: 'code' });
}

function valuesOf(input: ResultInput, result: DigitizedResult | null): StatedValues {
  const values = {
    ...stated('code', input.code, parseCode),
    ...stated('name', input.name, parseWritten),
    ...stated('kind', input.kind, knownWord<ResultKind>),
    ...stated('issuingAgency', input.issuingAgency, parseWritten),
    ...stated('issuedOn', input.issuedOn, parsePlainDay),
    ...stated('validTo', input.validTo, parsePlainDay),
    ...stated('excerpt', input.excerpt, parseWritten),
  };
  if (values.name === null) throw refusal('FIELD_REQUIRED', { field: 'name' });
  const from = values.issuedOn === undefined ? result?.issuedOn : values.issuedOn;
  const to = values.validTo === undefined ? result?.validTo : values.validTo;
  refuseBackwards(from, to, 'validTo');
  return values;
}

function refuseBackwards(from: string | null | undefined, to: string | null | undefined, field: string): void {
  if (typeof from === 'string' && typeof to === 'string' && to < from) throw refusal('PERIOD_ORDER', { field });
}

function parseCode(text: string): Parsed<ResultCode, ResultCodeReason> {
  return parseResultCode(text.trim());
}

const told = { event: 'RESULT', type: 'DigitizedResult', said: 'reason' } as const;

/** History, audit and message of one change. */
function remember(
  change: Change,
  result: DigitizedResult,
  trueFrom: string | null | undefined,
  action: AuditAction,
  before: Side | null,
  after: Side,
): void {
  const remembered = { record: result, trueFrom, action, before, after };
  change.em.create(ResultChange, { ...historyRow(change, remembered), unitNo: result.unitNo });
  announce(change, told, remembered);
}
