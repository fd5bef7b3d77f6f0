import { inClear } from '#kernel/auth/policy.ts';
import type { Caller } from '#kernel/auth/principal.ts';
import type { MaskedField } from '#kernel/auth/purposes.ts';
import type { KeyedRead, PageRead } from '#kernel/db/read-door.ts';
import { maskSql } from '#kernel/domain/masking.ts';
import type { Gender } from '#kernel/domain/gender.ts';
import type { DatePrecision } from '#kernel/domain/plain-date.ts';
import type { ChangeRow, StateRow } from '#kernel/records/history.ts';
import type { PlaceConfidence, PlaceList } from '#kernel/places/index.ts';

/*
 * The texts by which citizens are read. A read takes only the columns that an operation asks for and masks in the text itself, so
 * its text depends on both; the number of texts is bounded. Alias `c` is citizens.citizen.
 */

export type LifeStatus = 'ACTIVE' | 'MOVED_AWAY' | 'DECEASED' | 'MERGED';

/** A row as an answer needs it. Only what was asked for is there; `id`, `lifeStatus` and `mergedInto` always are. */
export interface CitizenRow {
  readonly id: string;
  readonly lifeStatus: LifeStatus;
  readonly mergedInto: string | null;
  readonly version: number;
  readonly unitNo: number;
  readonly personalId: string | null;
  readonly oldIdNumber: string | null;
  readonly fullName: string;
  readonly dateOfBirth: string | null;
  readonly birthPrecision: DatePrecision | null;
  readonly gender: Gender | null;
  readonly ethnicity: string | null;
  readonly phone: string | null;
  readonly email: string | null;
  readonly birthplace: string | null;
  readonly nativePlace: string | null;
  readonly permanentText: string | null;
  readonly permanentCode: string | null;
  readonly permanentList: PlaceList | null;
  readonly permanentCurrentCode: string | null;
  readonly permanentConfidence: PlaceConfidence | null;
  readonly currentText: string | null;
  readonly currentCode: string | null;
  readonly currentList: PlaceList | null;
  readonly currentCurrentCode: string | null;
  readonly currentConfidence: PlaceConfidence | null;
  readonly states: string;
  readonly conflicted: number;
  /** There only when source or time of a field status was asked for. */
  readonly checkSource?: readonly (string | null)[];
  readonly checkedAt?: readonly (string | null)[];
}

interface ColumnGroup {
  readonly columns: readonly string[];
  readonly masked?: MaskedField;
}

const address = (kind: 'permanent' | 'current'): ColumnGroup => ({
  columns: [
    `c.${kind}_text as "${kind}Text"`,
    `c.${kind}_code as "${kind}Code"`,
    `c.${kind}_list as "${kind}List"`,
    `c.${kind}_current_code as "${kind}CurrentCode"`,
    `c.${kind}_confidence as "${kind}Confidence"`,
  ],
});

/** What a field of the graph needs of the row. `checks` stands for source and time of the field statuses. */
const groups = {
  version: { columns: ['c.version'] },
  orgUnit: { columns: ['c.unit_no as "unitNo"'] },
  personalId: { columns: ['c.personal_id'], masked: 'personalId' },
  oldIdNumber: { columns: ['c.old_id_number'], masked: 'oldIdNumber' },
  fullName: { columns: ['c.full_name as "fullName"'] },
  dateOfBirth: { columns: ['c.date_of_birth as "dateOfBirth"', 'c.birth_precision as "birthPrecision"'] },
  gender: { columns: ['c.gender'] },
  ethnicity: { columns: ['c.ethnicity'] },
  phone: { columns: ['c.phone'], masked: 'phone' },
  email: { columns: ['c.email'], masked: 'email' },
  birthplace: { columns: ['c.birthplace'] },
  nativePlace: { columns: ['c.native_place as "nativePlace"'] },
  permanentAddress: address('permanent'),
  currentAddress: address('current'),
  fieldStatuses: { columns: ['c.states', 'c.conflicted'] },
  checks: { columns: ['c.check_source as "checkSource"', 'c.checked_at as "checkedAt"'] },
} as const satisfies Readonly<Record<string, ColumnGroup>>;

type AskedField = keyof typeof groups;
const names = Object.keys(groups) as readonly AskedField[];

/** Fields that an operation asks of citizens, as bits. */
export type Asked = number;
export const askedNothing: Asked = 0;
const askedAll: Asked = (1 << names.length) - 1;

/** The bit of a field of the graph; 0 for what comes from no column of the citizen's row. */
export function askedBit(field: string): Asked {
  const index = (names as readonly string[]).indexOf(field);
  return index === -1 ? askedNothing : 1 << index;
}

/** Everything of the citizens' row that decides the text of a read: asked columns, and which of them are shown in clear. */
interface Shape {
  readonly name: string;
  readonly columns: string;
}

const shapeLimit = 256;
const shapes = new Map<string, Shape>();

/**
 * Columns for a caller. Beyond so many different selections everybody shares the one of all columns: more prepared statements
 * would cost more than a few surplus columns.
 */
export function shapeFor(caller: Caller, asked: Asked): Shape {
  let bits = 0;
  for (const [index, name] of names.entries()) {
    const group: ColumnGroup = groups[name];
    if ((asked & (1 << index)) !== 0 && group.masked !== undefined && inClear(caller, group.masked)) bits |= 1 << index;
  }
  const key = `${asked.toString(36)}.${bits.toString(36)}`;
  const known = shapes.get(key);
  if (known !== undefined) return known;
  if (shapes.size >= shapeLimit && asked !== askedAll) return shapeFor(caller, askedAll);
  const made = { name: key, columns: columnsOf(asked, bits) };
  shapes.set(key, made);
  return made;
}

function columnsOf(asked: Asked, clear: number): string {
  const columns = ['c.id', 'c.life_status as "lifeStatus"', 'c.merged_into as "mergedInto"'];
  for (const [index, name] of names.entries()) {
    if ((asked & (1 << index)) === 0) continue;
    const group: ColumnGroup = groups[name];
    if (group.masked === undefined) columns.push(...group.columns);
    else
      for (const column of group.columns)
        columns.push(`${shown(group.masked, column, (clear & (1 << index)) !== 0)} as "${name}"`);
  }
  return columns.join(', ');
}

function shown(field: MaskedField, column: string, clear: boolean): string {
  return clear ? column : `(${maskSql(field, column)})`;
}

/** Lock one. The `coalesce` keeps the planner from believing that a scope holds hardly any row. */
export function inScope(alias: string): string {
  return `coalesce(${alias}.unit_no <@ $1::int4multirange, false)`;
}

/**
 * A legal basis for one person narrows every read to him. A `coalesce` too: the planner takes an `or` with a parameter for one row in
 * two hundred and then sorts a unit instead of walking its index.
 */
export function ofBasis(column: string, parameter: string): string {
  return `coalesce(${column} = ${parameter}::uuid, true)`;
}

/** Numbers of the units of a bounded scope, as rows `u(no)`. */
export const unitsInScope =
  'unnest($1::int4multirange) g(span) cross join lateral generate_series(lower(g.span), upper(g.span) - 1) u(no)';

export function citizensById(caller: Caller, asked: Asked): KeyedRead<CitizenRow> {
  const { name, columns } = shapeFor(caller, asked);
  return {
    name: `citizens.by-id.${name}`,
    text: `select c.id as key, ${columns} from citizens.citizen c
      where c.id = any($2::uuid[]) and ${inScope('c')} and ${ofBasis('c.id', '$3')}`,
  };
}

/** A citizen by a number; `confirmed` says whether it is his beyond doubt, now. */
type HolderRow = CitizenRow & { readonly confirmed: boolean };

export function holdersOfNumber(caller: Caller, asked: Asked): KeyedRead<HolderRow> {
  const { name, columns } = shapeFor(caller, asked);
  return {
    name: `citizens.by-number.${name}`,
    text: `select i.value as key, i.standing = 'CONFIRMED' and i.valid_to is null as confirmed, ${columns}
      from citizens.identifier i join citizens.citizen c on c.id = i.citizen_id
      where i.value = any($2::text[]) and ${inScope('i')} and ${inScope('c')} and ${ofBasis('c.id', '$3')}`,
  };
}

/** `whole`: along the index of all ids, for who sees every unit. `units`: each unit along its own index, then merged. */
export type Walk = 'whole' | 'units';

/** A plain page by id: all but merged records. */
export function plainPage(caller: Caller, asked: Asked, walk: Walk): PageRead<CitizenRow> {
  const { name, columns } = shapeFor(caller, asked);
  const conditions = `${inScope('c')} and ${ofBasis('c.id', '$4')} and c.life_status <> 'MERGED'`;
  const pages = 'select k.ord, x.* from unnest($2::uuid[]) with ordinality k(after, ord) cross join lateral';
  switch (walk) {
    case 'whole':
      return {
        name: `citizens.page.whole.${name}`,
        text: `${pages} (select ${columns} from citizens.citizen c where c.id > k.after and ${conditions} order by c.id limit $3) x`,
      };
    case 'units':
      // Ids first; only those of the page are read in full. `limit 1` holds the planner to one look-up by id each.
      return {
        name: `citizens.page.units.${name}`,
        text: `${pages} (
          select w.id from ${unitsInScope} cross join lateral (
            select c.id from citizens.citizen c where c.unit_no = u.no and c.id > k.after and ${conditions} order by c.id limit $3) w
          order by w.id limit $3) p cross join lateral (
          select ${columns} from citizens.citizen c where c.id = p.id and ${conditions} limit 1) x`,
      };
  }
}

export interface IdentifierRow {
  readonly system: 'PERSONAL_ID' | 'OLD_ID_NUMBER' | 'PASSPORT' | 'FOREIGN_ID';
  readonly value: string;
  readonly validFrom: string | null;
  readonly validTo: string | null;
  readonly standing: 'CONFIRMED' | 'CLAIMED' | 'CANCELLED';
  readonly source: string;
}

export function identifiersOf(caller: Caller): KeyedRead<IdentifierRow> {
  const personal = inClear(caller, 'personalId');
  const old = inClear(caller, 'oldIdNumber');
  const other = inClear(caller, 'identifier');
  return {
    name: `citizens.identifiers.${[personal, old, other].map(Number).join('')}`,
    text: `select i.citizen_id as key, i.system, case i.system
        when 'PERSONAL_ID' then ${shown('personalId', 'i.value', personal)}
        when 'OLD_ID_NUMBER' then ${shown('oldIdNumber', 'i.value', old)}
        else ${shown('identifier', 'i.value', other)} end as value,
        i.valid_from as "validFrom", i.valid_to as "validTo", i.standing, i.source
      from citizens.identifier i
      where i.citizen_id = any($2::uuid[]) and ${inScope('i')} and ${ofBasis('i.citizen_id', '$3')}
      order by i.citizen_id, i.system, i.valid_to desc nulls first, i.id`,
  };
}

/** Changes of a person, oldest first. The key is `citizen after size`, so that pages of many people are one read. */
export const changesOf: KeyedRead<ChangeRow> = {
  name: 'citizens.changes',
  text: `select k.key, x.* from unnest($2::text[]) k(key) cross join lateral (
      select h.id, h.version, h.principal_name as "who", h.cause, h.cause_id as "causeId", h.at as "knownAt",
        h.effective_from as "trueFrom", h.action, h.before, h.after
      from citizens.change h
      where h.citizen_id = split_part(k.key, ' ', 1)::uuid and h.id > split_part(k.key, ' ', 2)::uuid
        and ${inScope('h')} and ${ofBasis('h.citizen_id', '$3')}
      order by h.id limit split_part(k.key, ' ', 3)::int) x`,
};

export const changeCountOf: KeyedRead<{ readonly count: number }> = {
  name: 'citizens.change-count',
  text: `select k.id as key, (select count(*)::int from (
      select 1 from citizens.change h where h.citizen_id = k.id and ${inScope('h')} and ${ofBasis('h.citizen_id', '$3')}
      limit 10001) n) as count
    from unnest($2::uuid[]) k(id)`,
};

/** The last value of every field at an instant; the key is `citizen instant`. As for other records: kernel/records/record-table.ts. */
export const stateOf: KeyedRead<StateRow> = {
  name: 'citizens.state',
  text: `select k.key, x.* from unnest($2::text[]) k(key) cross join lateral (
      select max(h.version) as version, jsonb_object_agg(e.key, e.value order by h.version, h.at, h.id)
            filter (where e.key is not null and (h.before is null or jsonb_exists(h.before, e.key))) as values
      from citizens.change h left join lateral jsonb_each(h.after) e on true
      where h.citizen_id = split_part(k.key, ' ', 1)::uuid
        and date_trunc('milliseconds', h.at) <= split_part(k.key, ' ', 2)::timestamptz
        and ${inScope('h')} and ${ofBasis('h.citizen_id', '$3')}) x`,
};
