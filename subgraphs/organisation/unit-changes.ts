import { randomUUIDv7 } from 'node:crypto';
import { LockMode } from '@mikro-orm/postgresql';
import type { Caller } from '#kernel/auth/principal.ts';
import type { Change, Changes, Refusal } from '#kernel/db/change.ts';
import { Unit, type UnitLevel } from '#kernel/db/hub.entity.ts';
import { parseUnitId, unitId, unitSubject } from '#kernel/domain/ids.ts';
import { dayInVietnam, parsePlainDay } from '#kernel/domain/plain-date.ts';
import { refusal, valueOf } from '#kernel/errors/hub-error.ts';
import type { Reason } from '#kernel/errors/catalogue.ts';
import { stands, writeStated, type Side } from '#kernel/records/sides.ts';
import { parseReason, trueFromOf } from '#kernel/records/stated.ts';
import { changeToUndo, refuseBuiltUpon, undoing, valuesBefore, type UndoChange } from '#kernel/records/undo.ts';
import type { Result } from '#kernel/result.ts';
import { OrganisationChange } from './organisation.entity.ts';
import { parseUnitCode, parseUnitName, whyNotThere } from './unit-rules.ts';
import { Units, unitRowsText, type UnitRow } from './units.ts';

/*
 * What stewards change in the units. The number of a unit is given once and stays; so no row of anyone changes when a unit is renamed,
 * recoded or moved, only who stands over it. Changes of the tree go one after the other, each on the tree as it is then: two moves that
 * are right by themselves cannot make a circle together.
 */

interface UnitInput {
  readonly code?: string | null;
  readonly name?: string | null;
  readonly level?: UnitLevel | null;
  readonly parentId?: string | null;
  readonly trueFrom?: string | null;
}
export interface CreateUnit extends UnitInput {
  readonly code: string;
  readonly name: string;
  readonly level: UnitLevel;
  readonly parentId: string;
  readonly validFrom?: string | null;
}
export interface UpdateUnit extends UnitInput {
  readonly id: string;
  readonly version: number;
}
export interface WithdrawUnit {
  readonly id: string;
  readonly version: number;
  readonly reason: string;
  readonly trueFrom?: string | null;
}

/** Id of the unit that was changed. */
export type ChangedUnit = Result<{ readonly orgUnit: string }, Refusal>;

/** Where the changes of units stand; what is done to accounts and clients stands there too. */
const changesOfUnits = { table: 'organisation.change', record: 'record_id', unitColumns: ['unit_no'] } as const;
const putBack = ['code', 'name', 'level', 'parent', 'validTo'] as const;

type UnitAction = 'unit.created' | 'unit.changed' | 'unit.withdrawn';

/** What keeps a unit from ending, in the order in which it is told. */
const holding = {
  units: 'UNIT_HOLDS_UNITS',
  accounts: 'UNIT_HOLDS_ACCOUNTS',
  citizens: 'UNIT_HOLDS_CITIZENS',
  records: 'UNIT_HOLDS_RECORDS',
  work: 'UNIT_HOLDS_WORK',
} as const satisfies Readonly<Record<string, Reason>>;

export class UnitChanges {
  readonly #changes: Changes;
  readonly #forget: () => void;

  /** `forget`: what this process holds of the units is old from now on. */
  constructor(changes: Changes, forget: () => void) {
    this.#changes = changes;
    this.#forget = forget;
  }

  create(caller: Caller, input: CreateUnit): Promise<ChangedUnit> {
    return this.#mutate(caller, 'createOrgUnit', input, async (change, units) => {
      const values = statedValues(input);
      const parent = theirUnit(change, units, input.parentId);
      refuseThere(units, { number: null, level: input.level }, parent, 'level');
      const [given] = await change.transaction.query<{ readonly number: number }>(
        `select nextval('hub.unit_number')::int as number`,
      );
      if (given === undefined) throw new Error('PostgreSQL gave no number.');
      await refuseTakenCode(change, values.code ?? null, given.number);
      await widen(change, units, [given.number]);
      const validFrom =
        typeof input.validFrom === 'string' ? valueOf(parsePlainDay(input.validFrom), 'validFrom') : dayInVietnam(change.now);
      const unit = change.em.create(Unit, {
        number: given.number,
        code: '',
        name: '',
        level: input.level,
        parentNumber: parent.number,
        validFrom,
      });
      const { after } = writeStated(unit, ['code', 'name'], values);
      await change.em.flush();
      remember(change, unit, input.trueFrom ?? validFrom, 'unit.created', null, {
        ...stands(after),
        level: input.level,
        parent: unitId(parent.number),
        validFrom,
      });
      return unit;
    });
  }

  update(caller: Caller, input: UpdateUnit): Promise<ChangedUnit> {
    return this.#mutate(caller, 'updateOrgUnit', input, async (change, units) => {
      const values = statedValues(input);
      const { unit, row } = await found(change, units, input);
      if (input.level === null) throw refusal('FIELD_REQUIRED', { field: 'level' });
      if (input.parentId === null) throw refusal('FIELD_REQUIRED', { field: 'parentId' });
      const level = input.level ?? row.level;
      const parent = input.parentId === undefined ? null : theirUnit(change, units, input.parentId);
      const above = parent ?? (row.parent === null ? null : units.find(row.parent));
      if (above !== null) refuseThere(units, { number: row.number, level }, above, parent === null ? 'level' : 'parentId');
      else if (level !== row.level) throw refusal('UNIT_LEVEL_ORDER', { field: 'level' });
      if (typeof values.code === 'string' && values.code !== row.code) await refuseTakenCode(change, values.code, row.number);
      await widen(change, units, []);
      const { before, after } = writeStated(unit, ['code', 'name'], values);
      if (level !== row.level) {
        before.level = row.level;
        after.level = unit.level = level;
      }
      if (parent !== null && parent.number !== row.parent) {
        before.parent = row.parent === null ? null : unitId(row.parent);
        after.parent = unitId(parent.number);
        unit.parentNumber = parent.number;
      }
      if (Object.keys(after).length === 0) return unit;
      await change.em.flush();
      remember(change, unit, input.trueFrom, 'unit.changed', before, after);
      return unit;
    });
  }

  withdraw(caller: Caller, input: WithdrawUnit): Promise<ChangedUnit> {
    return this.#mutate(caller, 'withdrawOrgUnit', input, async (change, units) => {
      const { unit, row } = await found(change, units, input);
      const reason = valueOf(parseReason(input.reason), 'reason');
      const today = dayInVietnam(change.now);
      const end = trueFromOf(input.trueFrom) ?? today;
      if (end > today || end < row.validFrom) throw refusal('UNIT_END_DAY', { field: 'trueFrom' });
      await widen(change, units, []);
      await refuseHolding(change, row.number);
      unit.validTo = end;
      await change.em.flush();
      remember(change, unit, end, 'unit.withdrawn', { validTo: null }, { validTo: end, reason });
      return unit;
    });
  }

  /**
   * What a change wrote is put back, as a change of its own on the tree as it is now: a code that was given away meanwhile, or a parent under
   * which the unit may not stand any more, refuses it.
   */
  undo(caller: Caller, input: UndoChange): Promise<ChangedUnit> {
    return this.#mutate(caller, 'undoOrgUnitChange', input, async (given, units) => {
      await widen(given, units, []);
      const change = { ...given, units: units.scopeOf(caller.principal.unitNo).units };
      const past = await changeToUndo(change, changesOfUnits, input.changeId);
      if (!past.action.startsWith('unit.')) throw refusal('CHANGE_UNKNOWN', { field: 'changeId' });
      const stood = valuesBefore(past, putBack);
      const opens = stood.validTo === null;
      const { unit, row } = await found(
        change,
        units,
        { id: past.recordId, version: input.version },
        opens ? 'ENDED' : 'IN_FORCE',
      );
      await refuseBuiltUpon(change, changesOfUnits, past);
      const code = stood.code ?? row.code;
      if (opens || code !== row.code) await refuseTakenCode(change, code, row.number, 'changeId');
      const level = (stood.level ?? row.level) as UnitLevel;
      const parent = typeof stood.parent === 'string' ? theirUnit(change, units, stood.parent, 'changeId') : above(units, row);
      if (parent !== null) {
        if (opens && parent.validTo !== null) throw refusal('UNIT_NOT_YOURS', { field: 'changeId' });
        refuseThere(units, { number: row.number, level }, parent, 'changeId', 'changeId');
      }
      // The undo of an undone end ends it again.
      if (typeof stood.validTo === 'string') await refuseHolding(change, row.number);
      const { before, after } = writeStated(unit, ['code', 'name', 'level', 'validTo'], stood);
      if (parent !== null && parent.number !== row.parent) {
        before.parent = row.parent === null ? null : unitId(row.parent);
        after.parent = unitId(parent.number);
        unit.parentNumber = parent.number;
      }
      if (Object.keys(after).length === 0) return unit;
      await change.em.flush();
      remember({ ...change, by: undoing(change, past) }, unit, null, 'unit.changed', before, after);
      return unit;
    });
  }

  async #mutate(
    caller: Caller,
    operation: string,
    input: object,
    body: (change: Change, units: Units) => Promise<Unit>,
  ): Promise<ChangedUnit> {
    const result = await this.#changes.mutate({ caller, operation, permission: 'unit:write', input }, async (change) => {
      await change.transaction.query(`select pg_advisory_xact_lock(hashtextextended('hub.unit', 0)) is null as locked`);
      const units = new Units(await change.transaction.query<UnitRow>(unitRowsText));
      const { number } = await body(change, units);
      return { orgUnit: unitId(number) };
    });
    if (result.ok) this.#forget();
    return result;
  }
}

/**
 * Which units are his is asked of the tree as it is now, not of the scope that his token brought: one that he has just created is his, one
 * that was just moved away is his no more. Someone else's, one that ended and one that never was are the same.
 */
export function theirUnit({ caller }: Change, units: Units, id: string, field = 'parentId'): UnitRow {
  const number = valueOf(parseUnitId(id), field);
  const unit = units.find(number);
  if (unit?.validTo !== null || !units.standsOver(caller.principal.unitNo, number)) {
    throw refusal('UNIT_NOT_YOURS', { field });
  }
  return unit;
}

async function found(
  change: Change,
  units: Units,
  input: { readonly id: string; readonly version: number },
  state: 'IN_FORCE' | 'ENDED' = 'IN_FORCE',
): Promise<{ readonly unit: Unit; readonly row: UnitRow }> {
  const row = units.findById(input.id);
  if (row === null || !units.standsOver(change.caller.principal.unitNo, row.number))
    throw refusal('RECORD_UNKNOWN', { field: 'id' });
  const unit = await change.em.findOneOrFail(Unit, { number: row.number }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  if (unit.version !== input.version) throw refusal('VERSION_STALE', { field: 'version' });
  if (row.validTo !== null && state === 'IN_FORCE') throw refusal('UNIT_ENDED', { field: 'id' });
  return { unit, row };
}

function above(units: Units, { parent }: UnitRow): UnitRow | null {
  return parent === null ? null : units.find(parent);
}

/** Lock two follows the tree of now as well, for the history that this change writes. */
export async function widen({ transaction, caller }: Change, units: Units, fresh: readonly number[]): Promise<void> {
  await transaction.query(
    `select set_config('hub.scope', (scope.units + $2::int4multirange)::text, true) from (select $1::int4multirange as units) scope`,
    [
      units.scopeOf(caller.principal.unitNo).units,
      `{${fresh.map((number) => `[${String(number)},${String(number)}]`).join(',')}}`,
    ],
  );
}

function refuseThere(
  units: Units,
  unit: Parameters<typeof whyNotThere>[1],
  parent: UnitRow,
  field: string,
  parentField = 'parentId',
): void {
  const why = whyNotThere(units, unit, parent);
  if (why !== null) throw refusal(why, { field: why === 'UNIT_CYCLE' ? parentField : field });
}

/** Without saying whose it is. */
async function refuseTakenCode(change: Change, code: string | null, own: number, field = 'code'): Promise<void> {
  const taken = await change.transaction.query('select from hub.unit where code = $1 and valid_to is null and number <> $2', [
    code,
    own,
  ]);
  if (taken.length > 0) throw refusal('UNIT_CODE_TAKEN', { field });
}

async function refuseHolding(change: Change, number: number): Promise<void> {
  const held = await change.transaction.query<{ readonly kind: string; readonly count: number }>(
    'select kind, count from organisation.unit_holds($1)',
    [number],
  );
  for (const [kind, reason] of Object.entries(holding)) {
    const count = held.find((one) => one.kind === kind)?.count ?? 0;
    if (count > 0) throw refusal(reason, { field: 'id', words: { count: count > 10_000 ? '> 10.000' : String(count) } });
  }
}

function statedValues({ code, name }: UnitInput): { readonly code?: string; readonly name?: string } {
  if (code === null) throw refusal('FIELD_REQUIRED', { field: 'code' });
  if (name === null) throw refusal('FIELD_REQUIRED', { field: 'name' });
  return {
    ...(code !== undefined && { code: valueOf(parseUnitCode(code), 'code') }),
    ...(name !== undefined && { name: valueOf(parseUnitName(name), 'name') }),
  };
}

/** History, audit and message of one change. */
function remember(
  change: Change,
  { number, version }: Unit,
  trueFrom: string | null | undefined,
  action: UnitAction,
  before: Side | null,
  after: Side,
): void {
  change.em.create(OrganisationChange, {
    id: randomUUIDv7(),
    recordId: unitId(number),
    unitNo: number,
    version,
    effectiveFrom: trueFromOf(trueFrom),
    ...change.by,
    action,
    before,
    after,
  });
  const fields = Object.keys(after).filter((field) => field !== 'reason');
  change.audit(
    'unit.changed',
    [unitSubject(number)],
    fields.map((field) => `OrgUnit.${field}`),
  );
  change.publish({
    kind: 'UNIT',
    subject: unitSubject(number),
    version,
    unitBefore: before === null ? null : number,
    unitAfter: number,
    payload: {},
  });
}
