/*
 * Synthetic slips into the tables of this subgraph, with the replica of their citizens and their history. A SIGNED slip comes with the
 * bytes that a hospital signed, under the hospital's number; where the hub has no such unit it is ENTERED.
 */
import { createHash } from 'node:crypto';
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
  type SeedCitizen,
  type SeedPage,
} from '#kernel/synthetic/page.ts';
import type { SyntheticReexamination, SyntheticReferral } from '#kernel/synthetic/records.ts';
import { signedReexamination, signedReferral } from '#kernel/synthetic/signed-slip.ts';

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
  document_id: 'uuid',
  created_at: 'timestamptz',
  updated_at: 'timestamptz',
} as const;
const referralColumns = { ...slipColumns, valid_to: 'date', from_facility: 'text', to_facility: 'text', reason: 'text' } as const;
const reexaminationColumns = { ...slipColumns, appointment_on: 'date', facility: 'text' } as const;
const documentColumns = { id: 'uuid', facility_no: 'int', bytes: 'bytea', sha256: 'bytea', received_at: 'timestamptz' } as const;
const slipChangeColumns = { ...recordChangeColumns, facility_no: 'int' } as const;

const bytea = (bytes: Buffer): string => `\\x${bytes.toString('hex')}`;

export async function seedSlips(client: ClientBase, page: SeedPage): Promise<void> {
  await insertRows(client, 'slips.citizen', replicaColumns, replicasOf(page), firstVersion);
  const slips = page.citizens.map((citizen) => slipsOf(page, citizen));
  const referrals = slips.flatMap((of) => of.referrals);
  const reexaminations = slips.flatMap((of) => of.reexaminations);
  await insertRows(
    client,
    'slips.document',
    documentColumns,
    [...referrals, ...reexaminations].flatMap(({ document }) => document ?? []),
  );
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

function slipsOf(page: SeedPage, { person, unitNo }: SeedCitizen) {
  const { plan } = page;
  const signedOf = { seed: plan.seed, citizen: person.id, facts: person.ours, card: person.cards.at(-1)?.number ?? null };

  const seeded = <Own extends object>(
    kind: 'referral' | 'reexamination',
    slip: SyntheticReferral | SyntheticReexamination,
    n: number,
    facility: string,
    bytesOf: () => Buffer,
    own: Own,
  ) => {
    const facility_no = page.facilityNo(facility);
    const at = morningOf(slip.issuedOn);
    const bytes = slip.origin === 'SIGNED' && facility_no !== null ? bytesOf() : null;
    const document =
      bytes === null || facility_no === null
        ? null
        : {
            id: syntheticId(plan, `${kind} document`, person.index, n),
            facility_no,
            bytes: bytea(bytes),
            sha256: bytea(createHash('sha256').update(bytes).digest()),
            received_at: at,
          };
    const origin = document === null ? 'ENTERED' : 'SIGNED';
    return {
      changeId: syntheticId(plan, `${kind} change`, person.index, n),
      document,
      row: {
        id: syntheticId(plan, kind, person.index, n),
        citizen_id: person.id,
        unit_no: unitNo,
        facility_no,
        number: slip.number,
        origin,
        status: slip.status,
        issued_on: slip.issuedOn,
        holder_name: person.ours.fullName,
        document_id: document?.id ?? null,
        created_at: at,
        updated_at: at,
        ...own,
      },
      after: known({ ...slip, origin }),
    };
  };

  return {
    referrals: person.referrals.map((slip, n) =>
      seeded('referral', slip, n, slip.fromFacility, () => signedReferral(signedOf, slip), {
        valid_to: slip.validTo,
        from_facility: slip.fromFacility,
        to_facility: slip.toFacility,
        reason: slip.reason,
      }),
    ),
    reexaminations: person.reexaminations.map((slip, n) =>
      seeded('reexamination', slip, n, slip.facility, () => signedReexamination(signedOf, slip), {
        appointment_on: slip.appointmentOn,
        facility: slip.facility,
      }),
    ),
  };
}
