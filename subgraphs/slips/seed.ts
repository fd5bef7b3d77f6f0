/*
 * Synthetic slips into the tables of this subgraph, with the replica of their citizens and their history. All are ENTERED: a
 * SIGNED slip exists only with the bytes that a hospital signed.
 */
import type { ClientBase } from 'pg';
import { insertRows } from '#kernel/db/insert-rows.ts';
import { syntheticId } from '#kernel/synthetic/citizen.ts';
import {
  firstVersion,
  generated,
  known,
  morningOf,
  recordChangeColumns,
  replicaColumns,
  replicasOf,
  type SeedPage,
} from '#kernel/synthetic/page.ts';

const slipColumns = {
  id: 'uuid',
  citizen_id: 'uuid',
  unit_no: 'int',
  facility_no: 'int',
  number: 'text',
  origin: 'text',
  status: 'text',
  issued_on: 'date',
  holder_name: 'text',
  created_at: 'timestamptz',
  updated_at: 'timestamptz',
} as const;
const referralColumns = { ...slipColumns, valid_to: 'date', from_facility: 'text', to_facility: 'text', reason: 'text' } as const;
const reexaminationColumns = { ...slipColumns, appointment_on: 'date', facility: 'text' } as const;
const slipChangeColumns = { ...recordChangeColumns, facility_no: 'int' } as const;

export async function seedSlips(client: ClientBase, page: SeedPage): Promise<void> {
  await insertRows(client, 'slips.citizen', replicaColumns, replicasOf(page), firstVersion);
  const slips = page.citizens.flatMap(({ person, unitNo }) => {
    const common = (
      id: string,
      slip: { readonly number: string; readonly status: string; readonly issuedOn: string },
      facility: string,
    ) => ({
      id,
      citizen_id: person.id,
      unit_no: unitNo,
      facility_no: page.facilityNo(facility),
      number: slip.number,
      origin: 'ENTERED',
      status: slip.status,
      issued_on: slip.issuedOn,
      holder_name: person.ours.fullName,
      created_at: morningOf(slip.issuedOn),
      updated_at: morningOf(slip.issuedOn),
    });
    const referrals = person.referrals.map((slip, n) => ({
      changeId: syntheticId(page.plan, 'referral change', person.index, n),
      row: {
        ...common(syntheticId(page.plan, 'referral', person.index, n), slip, slip.fromFacility),
        valid_to: slip.validTo,
        from_facility: slip.fromFacility,
        to_facility: slip.toFacility,
        reason: slip.reason,
      },
      after: known({ ...slip, origin: 'ENTERED' }),
    }));
    const reexaminations = person.reexaminations.map((slip, n) => ({
      changeId: syntheticId(page.plan, 'reexamination change', person.index, n),
      row: {
        ...common(syntheticId(page.plan, 'reexamination', person.index, n), slip, slip.facility),
        appointment_on: slip.appointmentOn,
        facility: slip.facility,
      },
      after: known({ ...slip, origin: 'ENTERED' }),
    }));
    return [{ referrals, reexaminations }];
  });
  const referrals = slips.flatMap((of) => of.referrals);
  const reexaminations = slips.flatMap((of) => of.reexaminations);
  await insertRows(
    client,
    'slips.referral_slip',
    referralColumns,
    referrals.map(({ row }) => row),
  );
  await insertRows(
    client,
    'slips.reexamination_slip',
    reexaminationColumns,
    reexaminations.map(({ row }) => row),
  );
  await insertRows(
    client,
    'slips.change',
    slipChangeColumns,
    [...referrals, ...reexaminations].map(({ changeId, row, after }) => ({
      id: changeId,
      record_id: row.id,
      citizen_id: row.citizen_id,
      unit_no: row.unit_no,
      facility_no: row.facility_no,
      at: row.created_at,
      after,
    })),
    generated,
  );
}
