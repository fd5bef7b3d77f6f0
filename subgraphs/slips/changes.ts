import { randomUUIDv7 } from 'node:crypto';
import { LockMode } from '@mikro-orm/postgresql';
import type { AuditAction } from '#kernel/audit/actions.ts';
import type { Caller } from '#kernel/auth/principal.ts';
import type { Change, Changes, Refusal } from '#kernel/db/change.ts';
import { parseFacilityCode } from '#kernel/domain/facility-code.ts';
import { isUuid, unitId } from '#kernel/domain/ids.ts';
import { parsePlainDay } from '#kernel/domain/plain-date.ts';
import { refusal, valueOf } from '#kernel/errors/hub-error.ts';
import { mayGo } from '#kernel/records/forward.ts';
import { announce, historyRow } from '#kernel/records/remember.ts';
import { holderById } from '#kernel/records/holder.ts';
import { stands, writeStated, type Side, type Sides } from '#kernel/records/sides.ts';
import { parseReason, parseWritten, stated } from '#kernel/records/stated.ts';
import { changeToUndo, refuseBuiltUpon, undoing, valuesBefore, type UndoChange } from '#kernel/records/undo.ts';
import type { Result } from '#kernel/result.ts';
import { coversUnit } from '#kernel/unit-scope.ts';
import { slipWays } from './slip-status.ts';
import { ReexaminationSlip, ReferralSlip, SlipChange, type SlipStatus } from './slip.entity.ts';

/*
 * What clerks change in slips. They enter those of their own citizens from paper, marked ENTERED for ever. What a hospital signed is never
 * edited: of such a slip only its status moves, or it is withdrawn. A facility that sees a slip of its own changes nothing in it here.
 */

interface SlipInput {
  readonly number?: string | null;
  readonly issuedOn?: string | null;
  readonly trueFrom?: string | null;
}
interface ReferralInput extends SlipInput {
  readonly validTo?: string | null;
  readonly fromFacility?: string | null;
  readonly toFacility?: string | null;
  readonly reason?: string | null;
}
interface ReexaminationInput extends SlipInput {
  readonly appointmentOn?: string | null;
  readonly facility?: string | null;
}
interface OfCitizen {
  readonly citizenId: string;
}
interface Known {
  readonly id: string;
  readonly version: number;
}
interface Moved extends Known {
  readonly status?: SlipStatus | null;
}
export type CreateReferral = ReferralInput & OfCitizen;
export type CreateReexamination = ReexaminationInput & OfCitizen;
export type UpdateReferral = ReferralInput & Moved;
export type UpdateReexamination = ReexaminationInput & Moved;
export interface WithdrawSlip extends Known {
  readonly reason: string;
  readonly trueFrom?: string | null;
}

/** Id of the slip that was changed. */
export type ChangedSlip = Result<{ readonly slip: string }, Refusal>;

type Slip = ReferralSlip | ReexaminationSlip;

/** What the two kinds of slips differ in. */
interface SlipKind<Row extends Slip, Input extends SlipInput> {
  readonly type: 'ReferralSlip' | 'ReexaminationSlip';
  readonly table: 'slips.referral_slip' | 'slips.reexamination_slip';
  /** Column of the code of the facility that issued it. */
  readonly issuerColumn: 'from_facility' | 'facility';
  /** What an input states, by the names of the history. */
  readonly fields: readonly string[];
  readonly issuerOf: (slip: Row) => string | null;
  /** The same as the input states it; `undefined`: it says nothing. */
  readonly issuerStated: (input: Input) => string | null | undefined;
  readonly make: (change: Change, place: Place) => Row;
  readonly find: (change: Change, id: string) => Promise<Row | null>;
  /** Writes what the input states; refuses a period that ends before it begins. */
  readonly write: (slip: Row, input: Input) => Sides;
}

interface Place {
  readonly id: string;
  readonly citizenId: string;
  readonly unitNo: number;
  readonly facilityNo: number | null;
}

const changeTable = { table: 'slips.change', record: 'record_id', unitColumns: ['unit_no', 'facility_no'] } as const;
const referralFields = ['number', 'issuedOn', 'validTo', 'fromFacility', 'toFacility', 'reason'] as const;
const reexaminationFields = ['number', 'issuedOn', 'appointmentOn', 'facility'] as const;
const entered = { origin: 'ENTERED', status: 'ISSUED' } as const;
const locked = { lockMode: LockMode.PESSIMISTIC_WRITE } as const;

const referral: SlipKind<ReferralSlip, ReferralInput> = {
  type: 'ReferralSlip',
  table: 'slips.referral_slip',
  issuerColumn: 'from_facility',
  fields: referralFields,
  issuerOf: ({ fromFacility = null }) => fromFacility,
  issuerStated: ({ fromFacility }) => stated('fromFacility', fromFacility, parseFacilityCode).fromFacility,
  make: ({ em }, place) => em.create(ReferralSlip, { ...place, ...entered }),
  find: ({ em }, id) => em.findOne(ReferralSlip, { id }, locked),
  write(slip, input) {
    const sides = writeStated(slip, referralFields, {
      ...sharedValues(input),
      ...stated('validTo', input.validTo, parsePlainDay),
      ...stated('fromFacility', input.fromFacility, parseFacilityCode),
      ...stated('toFacility', input.toFacility, parseFacilityCode),
      ...stated('reason', input.reason, parseWritten),
    });
    refuseBackwards(slip.issuedOn, slip.validTo, 'validTo');
    return sides;
  },
};

const reexamination: SlipKind<ReexaminationSlip, ReexaminationInput> = {
  type: 'ReexaminationSlip',
  table: 'slips.reexamination_slip',
  issuerColumn: 'facility',
  fields: reexaminationFields,
  issuerOf: ({ facility = null }) => facility,
  issuerStated: ({ facility }) => stated('facility', facility, parseFacilityCode).facility,
  make: ({ em }, place) => em.create(ReexaminationSlip, { ...place, ...entered }),
  find: ({ em }, id) => em.findOne(ReexaminationSlip, { id }, locked),
  write(slip, input) {
    const sides = writeStated(slip, reexaminationFields, {
      ...sharedValues(input),
      ...stated('appointmentOn', input.appointmentOn, parsePlainDay),
      ...stated('facility', input.facility, parseFacilityCode),
    });
    refuseBackwards(slip.issuedOn, slip.appointmentOn, 'appointmentOn');
    return sides;
  },
};

function sharedValues({ number, issuedOn }: SlipInput) {
  const values = { ...stated('number', number, parseWritten), ...stated('issuedOn', issuedOn, parsePlainDay) };
  if (values.number === null) throw refusal('FIELD_REQUIRED', { field: 'number' });
  return values;
}

function refuseBackwards(from: string | null | undefined, to: string | null | undefined, field: string): void {
  if (typeof from === 'string' && typeof to === 'string' && to < from) throw refusal('PERIOD_ORDER', { field });
}

/** Changes of slips of one kind. */
class ChangesOfKind<Row extends Slip, Input extends SlipInput> {
  readonly #changes: Changes;
  readonly #kind: SlipKind<Row, Input>;

  constructor(changes: Changes, kind: SlipKind<Row, Input>) {
    this.#changes = changes;
    this.#kind = kind;
  }

  create(caller: Caller, input: Input & OfCitizen): Promise<ChangedSlip> {
    return this.#mutate(caller, 'create', input, async (change) => {
      const { citizenId, unitNo } = await holderById(change, 'slips', input.citizenId);
      // Before the entity is there: each statement flushes what was changed, and one change is one version.
      const facilityNo = await facilityOf(change, this.#kind.issuerStated(input) ?? null);
      const slip = this.#kind.make(change, { id: randomUUIDv7(), citizenId, unitNo, facilityNo });
      const { after } = this.#kind.write(slip, input);
      if (typeof slip.number !== 'string') throw refusal('FIELD_REQUIRED', { field: 'number' });
      await this.#refuseTwin(change, slip);
      await change.em.flush();
      this.#remember(change, slip, input.trueFrom, 'slip.created', null, {
        ...stands(after),
        ...entered,
        citizen: citizenId,
        orgUnit: unitId(unitNo),
        ...(facilityNo !== null && { facilityNo: String(facilityNo) }),
      });
      return slip.id;
    });
  }

  update(caller: Caller, input: Input & Moved): Promise<ChangedSlip> {
    return this.#mutate(caller, 'update', input, async (change) => {
      const slip = await this.#found(change, input);
      const { facilityNo: facilityBefore = null } = slip;
      const issuer = this.#kind.issuerStated(input);
      const facilityNo =
        issuer === undefined || issuer === this.#kind.issuerOf(slip) ? facilityBefore : await facilityOf(change, issuer);
      const { before, after } = this.#kind.write(slip, input);
      const [edited] = Object.keys(after);
      if (edited !== undefined && slip.origin === 'SIGNED') throw refusal('SLIP_SIGNED', { field: edited });
      if (input.status === null) throw refusal('FIELD_REQUIRED', { field: 'status' });
      if (input.status !== undefined && input.status !== slip.status) {
        if (!mayGo(slipWays, slip.status, input.status)) throw refusal('SLIP_STATUS_WAY', { field: 'status' });
        before.status = slip.status;
        after.status = slip.status = input.status;
      }
      if (Object.keys(after).length === 0) return slip.id;
      // Before the next statement, which flushes what was changed: one change is one version.
      slip.updatedAt = change.now;
      if (facilityNo !== facilityBefore) await this.#issuedBy(change, slip, { before, after }, facilityNo);
      await this.#refuseTwin(change, slip);
      await change.em.flush();
      this.#remember(change, slip, input.trueFrom, 'slip.changed', before, after);
      return slip.id;
    });
  }

  withdraw(caller: Caller, input: WithdrawSlip): Promise<ChangedSlip> {
    return this.#mutate(caller, 'withdraw', input, async (change) => {
      const slip = await this.#found(change, input);
      const reason = valueOf(parseReason(input.reason), 'reason');
      const before = { status: slip.status };
      slip.status = 'WITHDRAWN';
      slip.updatedAt = change.now;
      await change.em.flush();
      // Not "reason": that is what stands on a referral slip itself.
      this.#remember(change, slip, input.trueFrom, 'slip.withdrawn', before, { status: slip.status, note: reason });
      return slip.id;
    });
  }

  /** What a change wrote is put back where nothing newer stands on it; a withdrawal is taken back in the same way. */
  undo(caller: Caller, input: UndoChange): Promise<ChangedSlip> {
    return this.#mutate(caller, 'undo', input, async (change) => {
      const past = await changeToUndo(change, changeTable, input.changeId);
      const slip = await this.#found(change, { id: past.recordId, version: input.version }, { withdrawn: true });
      await refuseBuiltUpon(change, changeTable, past);
      const { status, facilityNo, ...values } = valuesBefore(past, [...this.#kind.fields, 'status', 'facilityNo']);
      if (slip.status === 'WITHDRAWN' && status === undefined) throw refusal('RECORD_WITHDRAWN', { field: 'changeId' });
      if (slip.origin === 'SIGNED' && Object.keys(values).length > 0) throw refusal('SLIP_SIGNED', { field: 'changeId' });
      // Values of the history were stated once, in this form.
      const { before, after } = this.#kind.write(slip, values as object as Input);
      if (typeof status === 'string') {
        before.status = slip.status;
        after.status = slip.status = status as SlipStatus;
      }
      slip.updatedAt = change.now;
      if (facilityNo !== undefined)
        await this.#issuedBy(change, slip, { before, after }, facilityNo === null ? null : Number(facilityNo));
      await this.#refuseTwin(change, slip);
      await change.em.flush();
      this.#remember({ ...change, by: undoing(change, past) }, slip, null, 'slip.changed', before, after);
      return slip.id;
    });
  }

  /** Whoever issued it reads it with its history. */
  async #issuedBy(change: Change, slip: Row, { before, after }: Sides, facilityNo: number | null): Promise<void> {
    const { facilityNo: facilityBefore = null } = slip;
    before.facilityNo = facilityBefore === null ? null : String(facilityBefore);
    after.facilityNo = facilityNo === null ? null : String(facilityNo);
    slip.facilityNo = facilityNo;
    await change.transaction.query('update slips.change set facility_no = $2 where record_id = $1', [slip.id, facilityNo]);
  }

  async #mutate(
    caller: Caller,
    verb: 'create' | 'update' | 'withdraw' | 'undo',
    input: object,
    body: (change: Change) => Promise<string>,
  ): Promise<ChangedSlip> {
    const operation = `${verb}${this.#kind.type}${verb === 'undo' ? 'Change' : ''}`;
    return this.#changes.mutate({ caller, operation, permission: 'slip:enter', input }, async (change) => ({
      slip: await body(change),
    }));
  }

  /** The issuing facility sees the slip too, but where its citizen is known his unit alone writes it. */
  async #found(change: Change, input: Known, { withdrawn = false }: { readonly withdrawn?: boolean } = {}): Promise<Row> {
    const id = input.id.toLowerCase();
    const slip = isUuid(id) ? await this.#kind.find(change, id) : null;
    if (slip === null) throw refusal('RECORD_UNKNOWN', { field: 'id' });
    const place = slip.unitNo ?? slip.facilityNo ?? null;
    if (place === null || !coversUnit(change.units, place)) throw refusal('SLIP_OF_ANOTHER_UNIT', { field: 'id' });
    if (slip.version !== input.version) throw refusal('VERSION_STALE', { field: 'version' });
    if (slip.status === 'WITHDRAWN' && !withdrawn) throw refusal('RECORD_WITHDRAWN', { field: 'id' });
    return slip;
  }

  /** A number means something only with its facility and its patient. Those who add slips to one person take turns. */
  async #refuseTwin(change: Change, slip: Row): Promise<void> {
    if (typeof slip.citizenId !== 'string' || slip.origin === 'SIGNED') return;
    const { table, issuerColumn } = this.#kind;
    await change.transaction.query(
      `select pg_advisory_xact_lock(hashtextextended('slips.number ' || $1, 22)) is null as locked`,
      [slip.citizenId],
    );
    const twins = await change.transaction.query(
      `select from ${table} where citizen_id = $1 and number = $2 and ${issuerColumn} is not distinct from $3::text
         and status not in ('CANCELLED','REPLACED','WITHDRAWN') and id <> $4`,
      [slip.citizenId, slip.number, this.#kind.issuerOf(slip), slip.id],
    );
    if (twins.length > 0) throw refusal('SLIP_KNOWN', { field: 'number' });
  }

  /** History, audit and message of one change. */
  #remember(
    change: Change,
    slip: Row,
    trueFrom: string | null | undefined,
    action: AuditAction,
    before: Side | null,
    after: Side,
  ): void {
    const remembered = { record: slip, trueFrom, action, before, after };
    const { unitNo = null, facilityNo = null } = slip;
    change.em.create(SlipChange, { ...historyRow(change, remembered), unitNo, facilityNo });
    announce(change, { event: 'SLIP', type: this.#kind.type, said: 'note' }, remembered);
  }
}

/** The issuing facility, where it is a unit of this hub in force. */
async function facilityOf(change: Change, code: string | null): Promise<number | null> {
  if (code === null) return null;
  const [unit] = await change.transaction.query<{ readonly number: number }>(
    `select number from hub.unit where code = $1 and level = 'FACILITY' and valid_to is null`,
    [code],
  );
  return unit?.number ?? null;
}

export class SlipChanges {
  readonly referrals: ChangesOfKind<ReferralSlip, ReferralInput>;
  readonly reexaminations: ChangesOfKind<ReexaminationSlip, ReexaminationInput>;

  constructor(changes: Changes) {
    this.referrals = new ChangesOfKind(changes, referral);
    this.reexaminations = new ChangesOfKind(changes, reexamination);
  }
}
