/* Units, log-ins and machine clients of the synthetic province, and the queue of work that is open from the start. */
import type { ClientBase } from 'pg';
import { hashPassword, hashSecret } from '#kernel/auth/secrets.ts';
import type { Role } from '#kernel/auth/permissions.ts';
import type { Purpose } from '#kernel/auth/purposes.ts';
import { insertRows } from '#kernel/db/insert-rows.ts';
import { syntheticId } from '#kernel/synthetic/citizen.ts';
import { morningOf, type SeedPage } from '#kernel/synthetic/page.ts';
import { syntheticUuid } from '#kernel/synthetic/random.ts';
import type { SyntheticUnit } from '#kernel/synthetic/units.ts';

const unitColumns = {
  number: 'int',
  code: 'text',
  name: 'text',
  level: 'text',
  parent_number: 'int',
  valid_from: 'date',
} as const;

/** The reform that made the two-tier system: no unit is older. */
const unitsSince = '2025-07-01';

/**
 * Writes the units with fresh numbers, in the order of the plan, so that a centre and what is below it are one range; hospitals
 * whose code is taken are those that are there. Returns the number of each, by index.
 */
export async function seedUnits(
  client: ClientBase,
  units: readonly SyntheticUnit[],
  above: number | null,
): Promise<readonly number[]> {
  const { rows: there } = await client.query<{ code: string; number: number }>(
    `select code, number from hub.unit where valid_to is null and code = any ($1)`,
    [units.map(({ code }) => code)],
  );
  const existing = new Map(there.map(({ code, number }) => [code, number]));
  const { rows: fresh } = await client.query<{ number: number }>(
    `select nextval('hub.unit_number')::int as number from generate_series(1, $1)`,
    [units.length - existing.size],
  );
  const free = fresh.map(({ number }) => number).values();
  const numbers = units.map(({ code }) => existing.get(code) ?? free.next().value ?? 0);
  await insertRows(
    client,
    'hub.unit',
    unitColumns,
    units.flatMap(({ code, name, level, parent }, index) => {
      if (existing.has(code)) return [];
      const parentNumber = parent === null ? above : (numbers[parent] ?? null);
      return [{ number: numbers[index] ?? 0, code, name, level, parent_number: parentNumber, valid_from: unitsSince }];
    }),
  );
  return numbers;
}

const demoPassword = 'lien-thong-demo';

const accounts: readonly { readonly login: string; readonly name: string; readonly unit: string; readonly role: Role }[] = [
  { login: 'steward', name: 'Quản trị dữ liệu tỉnh', unit: 'p', role: 'steward' },
  { login: 'centre1', name: 'Cán bộ trung tâm c1', unit: 'c1', role: 'centre' },
  { login: 'clerk11', name: 'Cán bộ trạm x11', unit: 'x11', role: 'clerk' },
  { login: 'clerk21', name: 'Cán bộ trạm x21', unit: 'x21', role: 'clerk' },
  { login: 'auditor', name: 'Thanh tra nhật ký', unit: 'p', role: 'auditor' },
];

const clients: readonly {
  readonly id: string;
  readonly name: string;
  readonly unit: string;
  readonly role: Role;
  readonly purpose: Purpose;
}[] = [
  { id: 'demo-integrator', name: 'Hệ thống tích hợp mẫu', unit: 'p', role: 'integrator', purpose: 'HOPERAT' },
  { id: 'hospital-a', name: 'Bệnh viện Đa khoa A', unit: '52901', role: 'hospital', purpose: 'TREAT' },
  { id: 'reader', name: 'Hệ thống đọc hồ sơ công dân', unit: 'p', role: 'reader', purpose: 'HOPERAT' },
  { id: 'insurer', name: 'Đơn vị giám định bảo hiểm', unit: 'p', role: 'insurer', purpose: 'HPAYMT' },
];

/** Log-ins with the password of the demonstration, and clients with `<id>-secret`: never outside the demonstration. */
export async function seedPrincipals(
  client: ClientBase,
  seed: number,
  numberOf: (code: string) => number,
  createdAt: string,
): Promise<void> {
  const password = await hashPassword(demoPassword);
  await insertRows(
    client,
    'organisation.account',
    { id: 'uuid', login: 'text', name: 'text', unit_no: 'int', role: 'text', password_hash: 'text', created_at: 'timestamptz' },
    accounts.map(({ login, name, unit, role }, index) => ({
      id: syntheticUuid(seed, 'account', index, Date.UTC(2026, 0, 1)),
      login,
      name,
      unit_no: numberOf(unit),
      role,
      password_hash: password,
      created_at: createdAt,
    })),
  );
  const hashes = await Promise.all(clients.map(({ id }) => hashSecret(`${id}-secret`)));
  await insertRows(
    client,
    'organisation.client',
    {
      id: 'text',
      name: 'text',
      unit_no: 'int',
      role: 'text',
      secret_hashes: 'text[]',
      default_purpose: 'text',
      created_at: 'timestamptz',
    },
    clients.map(({ id, name, unit, role, purpose }, index) => ({
      id,
      name,
      unit_no: numberOf(unit),
      role,
      secret_hashes: [hashes[index] ?? ''],
      default_purpose: purpose,
      created_at: createdAt,
    })),
  );
}

/** The joint queue's copy of the work that is open from the start: discrepancies, and what is wrong with cards. */
export async function seedWorkItems(client: ClientBase, page: SeedPage): Promise<void> {
  await insertRows(
    client,
    'organisation.work_item',
    {
      id: 'uuid',
      source: 'text',
      subject: 'uuid',
      kind: 'text',
      field: 'text',
      citizen_id: 'uuid',
      citizen_unit_no: 'int',
      unit_no: 'int',
      found_by: 'text',
      state: 'text',
      raised_at: 'timestamptz',
    },
    page.citizens.flatMap(({ person, unitNo, workUnitNo }) =>
      person.defect === null || !person.defectIsOpen
        ? []
        : [
            {
              id: syntheticId(page.plan, 'work', person.index),
              ...(person.defect.foundBy === 'CARDS'
                ? { source: 'INSURANCE', subject: syntheticId(page.plan, 'card', person.index, person.cards.length - 1) }
                : { source: 'CITIZENS', subject: syntheticId(page.plan, 'discrepancy', person.index) }),
              kind: person.defect.kind,
              field: person.defect.field,
              citizen_id: person.id,
              citizen_unit_no: unitNo,
              unit_no: workUnitNo,
              found_by: person.defect.foundBy,
              state: 'OPEN',
              raised_at: morningOf(person.registeredOn),
            },
          ],
    ),
  );
}
