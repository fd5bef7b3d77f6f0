/*
 * Synthetic citizens into the tables of this subgraph: one page in the transaction of the caller, with identifiers, search keys,
 * history and the discrepancies that are open from the start. For demonstration, benchmarks and tests.
 */
import type { ClientBase } from 'pg';
import { insertRows } from '#kernel/db/insert-rows.ts';
import { citizenFields, fieldBits, type CitizenField } from '#kernel/domain/citizen-field.ts';
import { unitId } from '#kernel/domain/ids.ts';
import { fold, sortName } from '#kernel/domain/person-name.ts';
import { firstDay, lastDay, precisionOf } from '#kernel/domain/plain-date.ts';
import { currentPlace } from '#kernel/places/index.ts';
import { syntheticId, type SyntheticCitizen } from '#kernel/synthetic/citizen.ts';
import type { Facts, SyntheticAddress } from '#kernel/synthetic/facts.ts';
import { citizenChangeColumns, generated, known, morningOf, type SeedCitizen, type SeedPage } from '#kernel/synthetic/page.ts';
import { insertNameKeys } from './name-keys.ts';

export interface SeededCitizens {
  /** Personal numbers that someone already in the hub holds, confirmed: both are kept, the newcomer's as a claim. */
  readonly secondHolders: number;
}

export async function seedCitizens(client: ClientBase, page: SeedPage): Promise<SeededCitizens> {
  const taken = await takenNumbers(client, page);
  await insertRows(
    client,
    'citizens.citizen',
    citizenColumns,
    page.citizens.map((citizen) => citizenRow(citizen, taken)),
  );
  await insertRows(
    client,
    'citizens.identifier',
    identifierColumns,
    page.citizens.flatMap((citizen) => identifierRows(page, citizen, taken)),
  );
  await client.query(insertNameKeys, [page.citizens.map(({ person }) => person.id)]);
  await insertRows(
    client,
    'citizens.change',
    citizenChangeColumns,
    page.citizens.map((citizen) => changeRow(page, citizen)),
    generated,
  );
  await insertRows(
    client,
    'citizens.discrepancy',
    discrepancyColumns,
    page.citizens.flatMap((citizen) => discrepancyRows(page, citizen)),
  );
  return { secondHolders: taken.size };
}

/** Only another generated province can hold the same numbers. */
async function takenNumbers(client: ClientBase, { plan, citizens }: SeedPage): Promise<ReadonlySet<string>> {
  if (plan.space === 'demo') return new Set();
  const { rows } = await client.query<{ value: string }>(
    `select value from citizens.identifier
     where system = 'PERSONAL_ID' and standing = 'CONFIRMED' and valid_to is null and value = any ($1)`,
    [citizens.map(({ person }) => person.ours.personalId).filter((number) => number !== null)],
  );
  return new Set(rows.map(({ value }) => value));
}

function confirmedFields({ confirmed, ours }: SyntheticCitizen, taken: ReadonlySet<string>): readonly CitizenField[] {
  const second = ours.personalId !== null && taken.has(ours.personalId);
  return second ? confirmed.filter((field) => field !== 'PERSONAL_ID') : confirmed;
}

function address(prefix: 'permanent' | 'current', given: SyntheticAddress | null) {
  const now = given === null ? null : currentPlace(given.code, given.list);
  return {
    [`${prefix}_text`]: given?.text ?? null,
    [`${prefix}_code`]: given?.code ?? null,
    [`${prefix}_list`]: given?.list ?? null,
    [`${prefix}_current_code`]: now?.currentCode ?? null,
    [`${prefix}_confidence`]: now?.confidence ?? null,
  };
}

const citizenColumns = {
  id: 'uuid',
  unit_no: 'int',
  life_status: 'text',
  personal_id: 'text',
  old_id_number: 'text',
  full_name: 'text',
  name_folded: 'text',
  name_sort: 'text',
  date_of_birth: 'text',
  birth_precision: 'text',
  born_from: 'date',
  born_to: 'date',
  gender: 'text',
  ethnicity: 'text',
  phone: 'text',
  email: 'text',
  birthplace: 'text',
  native_place: 'text',
  permanent_text: 'text',
  permanent_code: 'text',
  permanent_list: 'text',
  permanent_current_code: 'text',
  permanent_confidence: 'text',
  current_text: 'text',
  current_code: 'text',
  current_list: 'text',
  current_current_code: 'text',
  current_confidence: 'text',
  confirmed: 'int',
  conflicted: 'int',
  check_source: 'text[]',
  checked_at: 'timestamptz[]',
  flags: 'text[]',
  created_at: 'timestamptz',
  updated_at: 'timestamptz',
} as const;

function citizenRow({ person, unitNo }: SeedCitizen, taken: ReadonlySet<string>) {
  const { ours, confirmedOn, defect, defectIsOpen } = person;
  const confirmed = confirmedFields(person, taken);
  const open = defectIsOpen && defect?.foundBy === 'RECONCILE' && defect.field !== null ? [defect.field] : [];
  const compared = [...confirmed, ...open];
  const comparedAt = morningOf(confirmedOn ?? person.registeredOn);
  return {
    id: person.id,
    unit_no: unitNo,
    life_status: person.lifeStatus,
    personal_id: ours.personalId,
    old_id_number: ours.oldIdNumber,
    full_name: ours.fullName,
    name_folded: fold(ours.fullName),
    name_sort: sortName(ours.fullName),
    date_of_birth: ours.dateOfBirth,
    birth_precision: precisionOf(ours.dateOfBirth),
    born_from: firstDay(ours.dateOfBirth),
    born_to: lastDay(ours.dateOfBirth),
    gender: ours.gender,
    ethnicity: ours.ethnicity,
    phone: ours.phone,
    email: ours.email,
    birthplace: ours.birthplace,
    native_place: ours.nativePlace,
    ...address('permanent', ours.permanent),
    ...address('current', ours.current),
    confirmed: fieldBits(confirmed),
    conflicted: fieldBits(open),
    check_source: compared.length === 0 ? [] : citizenFields.map((field) => (compared.includes(field) ? 'POPULATION' : null)),
    checked_at: compared.length === 0 ? [] : citizenFields.map((field) => (compared.includes(field) ? comparedAt : null)),
    flags: defect?.kind === 'INCONSISTENT' ? ['IDENTITY_INCONSISTENT'] : [],
    created_at: morningOf(person.registeredOn),
    updated_at: morningOf(person.registeredOn),
  } satisfies Partial<Record<keyof typeof citizenColumns, unknown>>;
}

const identifierColumns = {
  id: 'uuid',
  citizen_id: 'uuid',
  unit_no: 'int',
  system: 'text',
  value: 'text',
  valid_from: 'date',
  valid_to: 'date',
  standing: 'text',
  source: 'text',
} as const;

function identifierRows({ plan }: SeedPage, { person, unitNo }: SeedCitizen, taken: ReadonlySet<string>) {
  const { ours, formerNumber, index, registeredOn } = person;
  const confirmed = confirmedFields(person, taken);
  const row = (
    n: number,
    system: 'PERSONAL_ID' | 'OLD_ID_NUMBER',
    value: string | null,
    standing: string,
    validTo: string | null,
  ) => {
    if (value === null) return [];
    const source = standing === 'CLAIMED' ? 'IMPORT' : 'POPULATION';
    const id = syntheticId(plan, 'identifier', index, n);
    return [{ id, citizen_id: person.id, unit_no: unitNo, system, value, valid_from: null, valid_to: validTo, standing, source }];
  };
  const standing = (field: CitizenField): string => (confirmed.includes(field) ? 'CONFIRMED' : 'CLAIMED');
  return [
    ...row(0, 'PERSONAL_ID', ours.personalId, standing('PERSONAL_ID'), null),
    ...row(1, 'OLD_ID_NUMBER', ours.oldIdNumber, standing('OLD_ID_NUMBER'), null),
    ...row(2, 'PERSONAL_ID', formerNumber, 'CANCELLED', registeredOn),
  ];
}

function changeRow({ plan }: SeedPage, { person, unitNo }: SeedCitizen) {
  const { ours } = person;
  return {
    id: syntheticId(plan, 'change', person.index),
    citizen_id: person.id,
    unit_no: unitNo,
    at: morningOf(person.registeredOn),
    after: known({
      fullName: ours.fullName,
      personalId: ours.personalId,
      oldIdNumber: ours.oldIdNumber,
      dateOfBirth: ours.dateOfBirth,
      gender: ours.gender,
      ethnicity: ours.ethnicity,
      phone: ours.phone,
      email: ours.email,
      birthplace: ours.birthplace,
      nativePlace: ours.nativePlace,
      permanentAddress: ours.permanent.text,
      permanentCommune: ours.permanent.code,
      currentAddress: ours.current?.text ?? null,
      currentCommune: ours.current?.code ?? null,
      permanentList: ours.permanent.list,
      currentList: ours.current?.list ?? null,
      orgUnit: unitId(unitNo),
      lifeStatus: person.lifeStatus,
    }),
  };
}

const discrepancyColumns = {
  id: 'uuid',
  citizen_id: 'uuid',
  unit_no: 'int',
  field: 'text',
  kind: 'text',
  found_by: 'text',
  ours: 'text',
  theirs: 'text',
  raised_at: 'timestamptz',
} as const;

function discrepancyRows({ plan }: SeedPage, { person, unitNo }: SeedCitizen) {
  const { defect, defectIsOpen } = person;
  if (defect?.field === null || defect === null || !defectIsOpen) return [];
  const sides =
    defect.kind === 'DIFFERENT'
      ? { ours: shown(defect.field, person.ours), theirs: shown(defect.field, person.theirs) }
      : { ours: null, theirs: null };
  return [
    {
      id: syntheticId(plan, 'discrepancy', person.index),
      citizen_id: person.id,
      unit_no: unitNo,
      field: defect.field,
      kind: defect.kind,
      found_by: defect.foundBy,
      ...sides,
      raised_at: morningOf(person.registeredOn),
    },
  ];
}

/** The value of a field as a discrepancy shows it. */
function shown(field: CitizenField, facts: Facts | null): string | null {
  if (facts === null) return null;
  switch (field) {
    case 'FULL_NAME':
      return facts.fullName;
    case 'OLD_ID_NUMBER':
      return facts.oldIdNumber;
    case 'PERSONAL_ID':
      return facts.personalId;
    case 'DATE_OF_BIRTH':
      return facts.dateOfBirth;
    case 'PHONE':
      return facts.phone;
    case 'GENDER':
      return facts.gender;
    case 'BIRTHPLACE':
      return facts.birthplace;
    case 'EMAIL':
      return facts.email;
    case 'NATIVE_PLACE':
      return facts.nativePlace;
    case 'PERMANENT_ADDRESS':
      return facts.permanent.text;
  }
}
