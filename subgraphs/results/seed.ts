/* Synthetic digitized results into the tables of this subgraph, with the replica of their citizens and their history. */
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

/* No file: a result with bytes exists only when its bytes do. */
const resultColumns = {
  id: 'uuid',
  citizen_id: 'uuid',
  unit_no: 'int',
  code: 'text',
  name: 'text',
  kind: 'text',
  issuing_agency: 'text',
  issued_on: 'date',
  valid_to: 'date',
  excerpt: 'text',
  state: 'text',
  use_count: 'int',
  created_at: 'timestamptz',
  updated_at: 'timestamptz',
} as const;

export async function seedResults(client: ClientBase, page: SeedPage): Promise<void> {
  const results = page.citizens.flatMap(({ person, unitNo }) =>
    person.results.map((result, n) => ({ ...result, id: syntheticId(page.plan, 'result', person.index, n), n, person, unitNo })),
  );
  await insertRows(client, 'results.citizen', replicaColumns, replicasOf(page), firstVersion);
  await insertRows(
    client,
    'results.result',
    resultColumns,
    results.map(({ id, code, name, kind, issuingAgency, issuedOn, validTo, excerpt, state, useCount, person, unitNo }) => ({
      id,
      citizen_id: person.id,
      unit_no: unitNo,
      code,
      name,
      kind,
      issuing_agency: issuingAgency,
      issued_on: issuedOn,
      valid_to: validTo,
      excerpt,
      state,
      use_count: useCount,
      created_at: morningOf(issuedOn),
      updated_at: morningOf(issuedOn),
    })),
  );
  await insertRows(
    client,
    'results.change',
    recordChangeColumns,
    results.map(({ id, n, code, name, kind, issuingAgency, issuedOn, validTo, excerpt, person, unitNo }) => ({
      id: syntheticId(page.plan, 'result change', person.index, n),
      record_id: id,
      citizen_id: person.id,
      unit_no: unitNo,
      at: morningOf(issuedOn),
      after: known({ code, name, kind, issuingAgency, issuedOn, validTo, excerpt }),
    })),
    generated,
  );
}
