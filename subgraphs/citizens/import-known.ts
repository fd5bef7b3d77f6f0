import type { Transaction } from '#kernel/db/database.ts';
import type { CitizenField } from '#kernel/domain/citizen-field.ts';
import { fold } from '#kernel/domain/person-name.ts';
import type { LifeStatus } from './citizen-reads.ts';
import type { Candidates, KnownCitizen } from './import-match.ts';
import type { PageContext, PageRow } from './import-page.ts';

/* Whom the rows of a page could mean, within the importer's scope; their rows are locked until the page commits. */

/** People of a page, by what rows know them by; newcomers join as the rows come. */
export interface KnownPeople {
  candidates(row: PageRow): Candidates;
  /** The person as this row made him. */
  replace(row: PageRow, citizen: KnownCitizen): void;
  /** Version before the page; 0 for a newcomer. */
  versionOf(id: string): number;
  lifeStatusOf(id: string): LifeStatus;
  /** Numbers of every system, ended ones too, before the page. */
  allNumbersOf(id: string): readonly string[];
  isOpen(id: string, field: CitizenField, kind: string): boolean;
}

interface KnownRow {
  readonly id: string;
  readonly version: number;
  readonly unit_no: number;
  readonly life_status: LifeStatus;
  readonly personal_id: string | null;
  readonly old_id_number: string | null;
  readonly full_name: string;
  readonly date_of_birth: string | null;
  readonly gender: string | null;
  readonly ethnicity: string | null;
  readonly phone: string | null;
  readonly email: string | null;
  readonly birthplace: string | null;
  readonly native_place: string | null;
  readonly permanent_text: string | null;
  readonly permanent_code: string | null;
  readonly permanent_list: '2024' | '2025' | null;
  readonly permanent_current_code: string | null;
  readonly current_text: string | null;
  readonly current_code: string | null;
  readonly current_list: '2024' | '2025' | null;
  readonly current_current_code: string | null;
  readonly confirmed: number;
  readonly flags: readonly string[];
  readonly sender_unit_no: number | null;
  readonly source_key: string | null;
}

const knownColumns = `c.id, c.version, c.unit_no, c.life_status, c.personal_id, c.old_id_number, c.full_name, c.date_of_birth, c.gender, c.ethnicity,
  c.phone, c.email, c.birthplace, c.native_place, c.permanent_text, c.permanent_code, c.permanent_list, c.permanent_current_code,
  c.current_text, c.current_code, c.current_list, c.current_current_code, c.confirmed, c.flags, c.sender_unit_no, c.source_key`;

const locked = (alias: string): string => `coalesce(${alias}.unit_no <@ $1::int4multirange, false)`;

type Way = 'key' | 'number' | 'name';

export async function findKnown({ tx, units, caller }: PageContext, rows: readonly PageRow[]): Promise<KnownPeople> {
  const sender = caller.principal.unitNo;
  const keys = rows.map(({ sourceKey }) => sourceKey).filter((key) => key !== null);
  const numbers = rows.map(({ personalId }) => personalId).filter((number) => number !== null);
  const nameless = rows.filter(({ sourceKey, personalId }) => sourceKey === null && personalId === null);
  const found = await tx.query<{ readonly way: Way; readonly key: string; readonly id: string }>(
    `select 'key' as way, c.source_key as key, coalesce(c.merged_into, c.id) as id from citizens.citizen c
       where c.sender_unit_no = $2 and c.source_key = any ($3::text[]) and ${locked('c')}
     union select 'number', i.value, coalesce(c.merged_into, c.id) from citizens.identifier i join citizens.citizen c on c.id = i.citizen_id
       where i.system = 'PERSONAL_ID' and i.value = any ($4::text[]) and ${locked('i')} and ${locked('c')}
     union select 'name', concat_ws('|', u.unit, u.name, u.birth), c.id
       from unnest($5::int[], $6::text[], $7::text[]) u(unit, name, birth)
       join citizens.name_key k on k.unit_no = u.unit and k.key = u.name and ${locked('k')}
       join citizens.citizen c on c.id = k.citizen_id and ${locked('c')}
       where c.name_folded = u.name and c.date_of_birth = u.birth and c.life_status <> 'MERGED'`,
    [
      units,
      sender,
      keys,
      numbers,
      nameless.map(({ unitNo }) => unitNo),
      nameless.map(({ fullName }) => fold(fullName)),
      nameless.map(({ dateOfBirth }) => dateOfBirth),
    ],
  );
  const ids = [...new Set(found.map(({ id }) => id))];
  const people = await load(tx, units, sender, ids);
  const index: Record<Way, Map<string, Set<string>>> = { key: new Map(), number: new Map(), name: new Map() };
  const place = (way: Way, key: string, id: string): void => {
    const held = index[way].get(key);
    if (held === undefined) index[way].set(key, new Set([id]));
    else held.add(id);
  };
  for (const { way, key, id } of found) if (people.citizens.has(id)) place(way, key, id);
  const by = (way: Way, key: string): readonly KnownCitizen[] =>
    [...(index[way].get(key) ?? [])].map((id) => people.citizens.get(id)).filter((citizen) => citizen !== undefined);
  return {
    candidates: (row) => ({
      bySourceKey: row.sourceKey === null ? [] : by('key', row.sourceKey),
      byNumber: row.personalId === null ? [] : by('number', row.personalId),
      byName: by('name', nameOf(row)),
    }),
    replace: (row, citizen) => {
      people.citizens.set(citizen.id, citizen);
      if (row.sourceKey !== null && citizen.sourceKey === row.sourceKey) place('key', row.sourceKey, citizen.id);
      if (row.personalId !== null) place('number', row.personalId, citizen.id);
      place('name', nameOf(row), citizen.id);
    },
    versionOf: (id) => people.rows.get(id)?.version ?? 0,
    lifeStatusOf: (id) => people.rows.get(id)?.life_status ?? 'ACTIVE',
    allNumbersOf: (id) => people.numbers.get(id) ?? [],
    isOpen: (id, field, kind) => people.open.has(`${id} ${field} ${kind}`),
  };
}

function nameOf({ unitNo, fullName, dateOfBirth }: PageRow): string {
  return [unitNo, fold(fullName), dateOfBirth].join('|');
}

interface Loaded {
  readonly citizens: Map<string, KnownCitizen>;
  readonly rows: ReadonlyMap<string, KnownRow>;
  readonly numbers: ReadonlyMap<string, readonly string[]>;
  readonly open: ReadonlySet<string>;
}

async function load(tx: Transaction, units: string, sender: number, ids: readonly string[]): Promise<Loaded> {
  if (ids.length === 0) return { citizens: new Map(), rows: new Map(), numbers: new Map(), open: new Set() };
  // In the order of ids, so that two pages that share people wait for each other instead of for ever.
  const rows = await tx.query<KnownRow>(
    `select ${knownColumns} from citizens.citizen c where c.id = any ($2::uuid[]) and ${locked('c')} and c.life_status <> 'MERGED' order by c.id for update`,
    [units, ids],
  );
  const numbers = await tx.query<{ readonly citizen_id: string; readonly system: string; readonly value: string }>(
    `select i.citizen_id, i.system, i.value from citizens.identifier i where i.citizen_id = any ($2::uuid[]) and ${locked('i')}`,
    [units, ids],
  );
  const open = await tx.query<{ readonly citizen_id: string; readonly field: string; readonly kind: string }>(
    `select d.citizen_id, d.field, d.kind from citizens.discrepancy d
     where d.citizen_id = any ($2::uuid[]) and d.state in ('OPEN','LEASED') and ${locked('d')}`,
    [units, ids],
  );
  const byCitizen = Map.groupBy(numbers, ({ citizen_id }) => citizen_id);
  const personalNumbers = (id: string): readonly string[] =>
    (byCitizen.get(id) ?? []).filter(({ system }) => system === 'PERSONAL_ID').map(({ value }) => value);
  return {
    citizens: new Map(rows.map((row) => [row.id, knownCitizen(row, sender, personalNumbers(row.id))])),
    rows: new Map(rows.map((row) => [row.id, row])),
    numbers: new Map([...byCitizen].map(([id, all]) => [id, all.map(({ value }) => value)])),
    open: new Set(open.map(({ citizen_id, field, kind }) => `${citizen_id} ${field} ${kind}`)),
  };
}

function knownCitizen(row: KnownRow, sender: number, numbers: readonly string[]): KnownCitizen {
  return {
    id: row.id,
    unitNo: row.unit_no,
    personalId: row.personal_id,
    oldIdNumber: row.old_id_number,
    fullName: row.full_name,
    dateOfBirth: row.date_of_birth,
    gender: row.gender,
    ethnicity: row.ethnicity,
    phone: row.phone,
    email: row.email,
    birthplace: row.birthplace,
    nativePlace: row.native_place,
    permanent: {
      text: row.permanent_text,
      code: row.permanent_code,
      list: row.permanent_list,
      currentCode: row.permanent_current_code,
    },
    current: { text: row.current_text, code: row.current_code, list: row.current_list, currentCode: row.current_current_code },
    confirmed: row.confirmed,
    flags: row.flags,
    sourceKey: row.sender_unit_no === sender ? row.source_key : null,
    hasSourceKey: row.source_key !== null,
    numbers,
  };
}
