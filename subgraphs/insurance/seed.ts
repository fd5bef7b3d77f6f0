/* Synthetic cards into the tables of this subgraph, with the replica of their citizens and their history. */
import type { ClientBase } from 'pg';
import { insertRows } from '#kernel/db/insert-rows.ts';
import { bhxhNumberOf } from '#kernel/domain/insurance-card-number.ts';
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

const cardColumns = {
  id: 'uuid',
  citizen_id: 'uuid',
  unit_no: 'int',
  number: 'text',
  bhxh_number: 'text',
  holder_name: 'text',
  holder_born: 'text',
  valid_from: 'date',
  valid_to: 'date',
  status: 'text',
  registered_facility: 'text',
  issuer: 'text',
  checked_at: 'timestamptz',
  created_at: 'timestamptz',
  updated_at: 'timestamptz',
} as const;

export async function seedCards(client: ClientBase, page: SeedPage): Promise<void> {
  const cards = page.citizens.flatMap(({ person, unitNo }) =>
    person.cards.map((card, n) => ({ ...card, id: syntheticId(page.plan, 'card', person.index, n), n, person, unitNo })),
  );
  await insertRows(client, 'insurance.citizen', replicaColumns, replicasOf(page), firstVersion);
  await insertRows(
    client,
    'insurance.card',
    cardColumns,
    cards.map(({ id, number, validFrom, validTo, status, issuer, registeredFacility, checkedOn, person, unitNo }) => ({
      id,
      citizen_id: person.id,
      unit_no: unitNo,
      number,
      bhxh_number: bhxhNumberOf(number),
      holder_name: person.ours.fullName,
      holder_born: person.ours.dateOfBirth,
      valid_from: validFrom,
      valid_to: validTo,
      status,
      registered_facility: registeredFacility,
      issuer,
      checked_at: checkedOn === null ? null : morningOf(checkedOn),
      created_at: morningOf(person.registeredOn),
      updated_at: morningOf(person.registeredOn),
    })),
  );
  await insertRows(
    client,
    'insurance.work',
    { id: 'uuid', card_id: 'uuid', citizen_id: 'uuid', unit_no: 'int', kind: 'text', found_by: 'text', raised_at: 'timestamptz' },
    page.citizens.flatMap(({ person, workUnitNo }) =>
      person.defect?.foundBy !== 'CARDS'
        ? []
        : [
            {
              id: syntheticId(page.plan, 'card work', person.index),
              card_id: syntheticId(page.plan, 'card', person.index, person.cards.length - 1),
              citizen_id: person.id,
              unit_no: workUnitNo,
              kind: person.defect.kind,
              found_by: person.defect.foundBy,
              raised_at: morningOf(person.registeredOn),
            },
          ],
    ),
  );
  await insertRows(
    client,
    'insurance.change',
    recordChangeColumns,
    cards.map(({ id, n, number, validFrom, validTo, status, issuer, registeredFacility, person, unitNo }) => ({
      id: syntheticId(page.plan, 'card change', person.index, n),
      record_id: id,
      citizen_id: person.id,
      unit_no: unitNo,
      at: morningOf(person.registeredOn),
      after: known({ number, validFrom, validTo, status, issuer, registeredFacility, holderName: person.ours.fullName }),
    })),
    generated,
  );
}
