import { LockMode } from '@mikro-orm/postgresql';
import type { Change } from '#kernel/db/change.ts';
import type { Transaction } from '#kernel/db/database.ts';
import { isUuid, parseUnitId } from '#kernel/domain/ids.ts';
import { refusal, valueOf, type HubError } from '#kernel/errors/hub-error.ts';
import { coversUnit } from '#kernel/unit-scope.ts';
import { Citizen } from './citizen.entity.ts';

/* What a change of a citizen asks before it writes: the person, the unit, and whether a number is free. */

/** So many times in 24 hours a principal may learn that a number is taken. */
const takenNumbersTold = 20;

/** Locked until the end, so that what is compared and written down as "before" is what stood there. */
export async function lockedCitizen(change: Change, input: { readonly id: string; readonly version: number }): Promise<Citizen> {
  const id = input.id.toLowerCase();
  const citizen = isUuid(id) ? await change.em.findOne(Citizen, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE }) : null;
  if (citizen === null) throw refusal('RECORD_UNKNOWN', { field: 'id' });
  if (citizen.version !== input.version) throw refusal('VERSION_STALE', { field: 'version' });
  if (citizen.lifeStatus === 'MERGED') throw refusal('CITIZEN_MERGED', { field: 'id' });
  return citizen;
}

/** A unit of someone else, one that ended and one that never was are the same: not his to give. */
export async function unitOf(change: Change, orgUnitId: string | null): Promise<number> {
  const [unit] = await change.transaction.query<{ readonly number: number }>(
    'select number from hub.unit where number = $1 and valid_to is null',
    [unitStated(orgUnitId)],
  );
  return unitGiven(change, unit?.number ?? null);
}

/** Where a newcomer is to stand, with what {@link refuseTaken} asks of his number, in one look. */
export async function placeOf(change: Change, orgUnitId: string | null, personalId: string | null): Promise<number> {
  if (personalId === null) return unitOf(change, orgUnitId);
  const [known] = await change.transaction.query<NumberKnown & { readonly unit: number | null }>(
    `select holders, probed, (select number from hub.unit where number = $4 and valid_to is null) as unit
     from citizens.number_holders($1, $2, $3)`,
    [personalId, change.by.principal, null, unitStated(orgUnitId)],
  );
  const unit = unitGiven(change, known?.unit ?? null);
  refuseHeld(change, personalId, null, known);
  return unit;
}

function unitStated(orgUnitId: string | null): number {
  if (orgUnitId === null) throw refusal('FIELD_REQUIRED', { field: 'orgUnitId' });
  return valueOf(parseUnitId(orgUnitId), 'orgUnitId');
}

function unitGiven(change: Change, unit: number | null): number {
  if (unit === null || !coversUnit(change.units, unit)) throw refusal('UNIT_NOT_YOURS', { field: 'orgUnitId' });
  return unit;
}

/** Who holds a number, and how often the principal was told of one that it is taken. */
interface NumberKnown {
  readonly holders: readonly string[];
  readonly probed: number;
}

async function numberKnown(
  transaction: Transaction,
  principal: string,
  personalId: string,
  own: string | null,
): Promise<NumberKnown | undefined> {
  const [known] = await transaction.query<NumberKnown>('select holders, probed from citizens.number_holders($1, $2, $3)', [
    personalId,
    principal,
    own,
  ]);
  return known;
}

/** The one thing that a caller may learn about people beyond his units: that a number is taken. Each time is written down at its holder. */
export async function refuseTaken(change: Change, personalId: string | null, own: string | null): Promise<void> {
  if (personalId === null) return;
  refuseHeld(change, personalId, own, await numberKnown(change.transaction, change.by.principal, personalId, own));
}

function refuseHeld(change: Change, personalId: string, own: string | null, known: NumberKnown | undefined): void {
  const { principal } = change.by;
  const tooOften = toldTooOften(known);
  // Before the answer: a number that is free says something too.
  if (tooOften !== null) throw tooOften;
  if (known === undefined || known.holders.length === 0) return;
  // Counted once more where it is written down, one answer of a principal after the other: those that run at once count each other.
  change.auditRefusal('citizen.number-taken', known.holders, ['Citizen.personalId'], async (transaction) => {
    await transaction.query(
      `select pg_advisory_xact_lock(hashtextextended('citizens.probed ' || $1::text, 22)) is null as locked`,
      [principal],
    );
    return toldTooOften(await numberKnown(transaction, principal, personalId, own));
  });
  throw refusal('NUMBER_TAKEN', { field: 'personalId' });
}

function toldTooOften(known: NumberKnown | undefined): HubError | null {
  return (known?.probed ?? 0) >= takenNumbersTold ? refusal('NUMBER_TAKEN_TOO_OFTEN', { field: 'personalId' }) : null;
}
