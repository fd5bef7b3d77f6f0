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
export async function refuseTaken(change: Change, personalId: string | null, own: string | null): Promise<void> {
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
