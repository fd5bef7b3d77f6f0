import { randomUUIDv7 } from 'node:crypto';
import type { Transaction } from '../db/database.ts';
import type { RowEnd } from '../db/hub.entity.ts';
import { insertRows } from '../db/insert-rows.ts';
import { publish } from '../db/outbox.ts';
import { unitId } from '../domain/ids.ts';
import { hashIdentifier } from '../identifier-hash.ts';
import { refusedRow, type ImportPage, type RowOutcome } from './import-kind.ts';

/*
 * Rows of a file that are records of citizens (cards, results): whose they are, which record of ours each one is, and what of it is new; written
 * by sets. A record belongs to the citizen of the sender's scope who has the number; where there is none, or more than one, it waits at the
 * sender's unit and links itself when exactly one is there.
 */

export interface RecordRow<Field extends string> {
  readonly line: number;
  /** Number of the citizen, as far as the row tells it. */
  readonly personalId: string | null;
  /** What the row states; null is "not stated". */
  readonly values: Readonly<Record<Field, string | null>>;
}

interface Known<Field extends string> {
  readonly id: string;
  readonly version: number;
  readonly citizenId: string | null;
  readonly unitNo: number;
  /** Hex; for whom it waits. */
  readonly waitingHash: string | null;
  readonly standing: string;
  readonly values: Readonly<Record<Field, string | null>>;
}

export interface RecordTable<Field extends string> {
  readonly schema: 'insurance' | 'results';
  readonly table: 'card' | 'result';
  readonly event: 'CARD' | 'RESULT';
  /** Column and SQL type of each field; the name of a field is the graph's. */
  readonly fields: Readonly<Record<Field, { readonly column: string; readonly type: string }>>;
  /** What tells two records of one citizen apart; the first of them is indexed and always stated. */
  readonly key: readonly [Field, ...Field[]];
  /** How a new record stands, and where that is kept. */
  readonly standing: { readonly column: 'status' | 'state'; readonly fresh: string };
  /** What else history says of a new record. */
  readonly freshHistory: Readonly<Record<string, string>>;
  /** Columns made of the values. */
  made(values: Readonly<Record<Field, string | null>>): Readonly<Record<string, string | null>>;
  readonly madeColumns: Readonly<Record<string, string>>;
  /** Fields that a file does not replace in a record that stands so. */
  confirmed(standing: string): readonly Field[];
  /** A row that names no number belongs to the one citizen who has a record of the same key. */
  readonly ownerByKey: boolean;
  /** After the page is written; `citizens`: those whose records changed. */
  after?(tx: Transaction, citizens: readonly string[]): Promise<void>;
}

interface Owner {
  readonly citizenId: string | null;
  readonly unitNo: number;
  readonly waitingHash: string | null;
}

interface Touched<Field extends string> {
  readonly before: Known<Field> | null;
  now: Known<Field>;
  /** Confirmed fields that the file contradicts. */
  readonly contradicted: Set<Field>;
}

export async function importRecords<Field extends string>(
  page: ImportPage,
  table: RecordTable<Field>,
  rows: readonly RecordRow<Field>[],
): Promise<readonly RowOutcome[]> {
  if (rows.length === 0) return [];
  const { tx, caller, identifierKey } = page;
  const hashes = new Map(
    rows.flatMap(({ personalId }) =>
      personalId === null ? [] : [[personalId, hashIdentifier(identifierKey, personalId).toString('hex')] as const],
    ),
  );
  // One page of one kind at a time: two files at once must not both find nothing.
  await tx.query(`select pg_advisory_xact_lock(hashtextextended($1, 22)) is null as locked`, [`${table.schema}.import`]);
  const holders = await findHolders(page, table, [...hashes.values()]);
  const keys = rows.map(({ values }) => values[table.key[0]] ?? '');
  await holdCitizens(page, table, [...holders.values()].flat(), keys);
  const known = await findRecords(page, table, keys);

  const ownerOf = (row: RecordRow<Field>): Owner => {
    const hash = row.personalId === null ? null : (hashes.get(row.personalId) ?? null);
    const found = hash === null ? [] : (holders.get(hash) ?? []);
    const [only] = found;
    if (only !== undefined && found.length === 1) return { ...only, waitingHash: null };
    if (hash === null && table.ownerByKey) {
      const same = known.of(row.values[table.key[0]] ?? '').filter(({ citizenId }) => citizenId !== null);
      const [first] = same;
      if (first !== undefined && same.every(({ citizenId }) => citizenId === first.citizenId))
        return { citizenId: first.citizenId, unitNo: first.unitNo, waitingHash: null };
    }
    return { citizenId: null, unitNo: caller.principal.unitNo, waitingHash: hash };
  };

  const touched = new Map<string, Touched<Field>>();
  const outcomes = rows.map((row): RowOutcome => {
    const owner = ownerOf(row);
    const found = known.find(owner, row.values);
    if (found?.standing === 'WITHDRAWN') return refusedRow(row.line, table.key[0], 'ROW_WITHDRAWN');
    const record: Known<Field> = found ?? {
      ...owner,
      id: randomUUIDv7(),
      version: 1,
      standing: table.standing.fresh,
      values: row.values,
    };
    const entry = touched.get(record.id) ?? { before: found, now: record, contradicted: new Set<Field>() };
    touched.set(record.id, entry);
    const confirmed = table.confirmed(record.standing);
    const values: Record<Field, string | null> = { ...record.values };
    let changes = 0;
    let contradicts = 0;
    for (const field of Object.keys(table.fields) as Field[]) {
      const stated = row.values[field];
      if (stated === null || stated === record.values[field]) continue;
      if (record.values[field] !== null && confirmed.includes(field)) {
        entry.contradicted.add(field);
        contradicts += 1;
      } else {
        values[field] = stated;
        changes += 1;
      }
    }
    entry.now = { ...entry.now, values };
    known.keep(entry.now);
    const end = ((): Exclude<RowEnd, 'REFUSED'> => {
      if (contradicts > 0 || record.citizenId === null) return 'WAITING';
      if (found === null) return 'ADDED';
      return changes > 0 ? 'CHANGED' : 'UNCHANGED';
    })();
    return { line: row.line, end, subject: record.citizenId ?? record.id };
  });
  await write(page, table, [...touched.values()]);
  return outcomes;
}

const locked = (alias: string): string => `coalesce(${alias}.unit_no <@ $1::int4multirange, false)`;

type Holder = Pick<Owner, 'citizenId' | 'unitNo'>;

async function findHolders<Field extends string>(
  { tx, units }: ImportPage,
  { schema }: RecordTable<Field>,
  hashes: readonly string[],
): Promise<ReadonlyMap<string, readonly Holder[]>> {
  const found = await tx.query<Holder & { readonly hash: string }>(
    `select encode(h.hash, 'hex') as hash, c.id as "citizenId", c.unit_no as "unitNo"
     from ${schema}.citizen_hash h join ${schema}.citizen c on c.id = h.citizen_id
     where h.hash in (select decode(x, 'hex') from unnest($2::text[]) x) and ${locked('h')} and ${locked('c')} and c.life_status <> 'MERGED'`,
    [units, [...new Set(hashes)]],
  );
  return Map.groupBy(found, ({ hash }) => hash);
}

/**
 * Replicas of those who get records are held to the end: the unit he moves to and the unit on the record cannot pass each other. Those who
 * write records of one citizen, or of one code, by hand take turns with the page.
 */
async function holdCitizens<Field extends string>(
  { tx, units }: ImportPage,
  { schema, table }: RecordTable<Field>,
  holders: readonly Holder[],
  keys: readonly string[],
): Promise<void> {
  const ids = [...new Set(holders.map(({ citizenId }) => citizenId))].sort();
  await tx.query(`select id from ${schema}.citizen c where c.id = any ($2::uuid[]) and ${locked('c')} order by c.id for share`, [
    units,
    ids,
  ]);
  const turns = table === 'card' ? ids.map((id) => `insurance.cards ${id ?? ''}`) : keys.map((key) => `results.code ${key}`);
  await tx.query(
    `select count(*) from (select pg_advisory_xact_lock(hashtextextended(turn, 22)) is null from unnest($1::text[]) turn) held`,
    [[...new Set(turns)].sort()],
  );
}

interface KnownRecords<Field extends string> {
  /** Every record of the first key. */
  of(key: string): readonly Known<Field>[];
  find(owner: Owner, values: Readonly<Record<Field, string | null>>): Known<Field> | null;
  keep(record: Known<Field>): void;
}

async function findRecords<Field extends string>(
  { tx, units }: ImportPage,
  { schema, table, fields, key, standing }: RecordTable<Field>,
  keys: readonly string[],
): Promise<KnownRecords<Field>> {
  const names = Object.keys(fields) as Field[];
  const columns = names.map((name) => `r.${fields[name].column}::text as "${name}"`).join(', ');
  const [first] = key;
  const rows = await tx.query<Omit<Known<Field>, 'values'> & Record<Field, string | null>>(
    `select r.id, r.version, r.citizen_id as "citizenId", r.unit_no as "unitNo", encode(r.waiting_hash, 'hex') as "waitingHash",
       r.${standing.column} as standing, ${columns}
     from ${schema}.${table} r where r.${fields[first].column} = any ($2::text[]) and ${locked('r')} order by r.id for update`,
    [units, [...new Set(keys)]],
  );
  const byKey = new Map<string, Known<Field>[]>();
  const keep = (record: Known<Field>): void => {
    const at = record.values[first] ?? '';
    const held = byKey.get(at) ?? [];
    byKey.set(at, held);
    const place = held.findIndex(({ id }) => id === record.id);
    if (place === -1) held.push(record);
    else held[place] = record;
  };
  for (const row of rows) {
    const { id, version, citizenId, unitNo, waitingHash, standing: stands } = row;
    const values: Record<string, string | null> = Object.fromEntries(names.map((name) => [name, row[name]]));
    keep({ id, version, citizenId, unitNo, waitingHash, standing: stands, values: values as Record<Field, string | null> });
  }
  return {
    of: (at) => byKey.get(at) ?? [],
    find(owner, values) {
      const same = (byKey.get(values[first] ?? '') ?? []).filter(
        (record) =>
          record.citizenId === owner.citizenId &&
          (owner.citizenId !== null || record.waitingHash === owner.waitingHash) &&
          key.every((name) => record.values[name] === values[name]),
      );
      // The one that stands; else the latest of those that stood.
      return (
        same.find((record) => record.standing === standing.fresh) ??
        same.findLast(({ standing: how }) => how !== 'WITHDRAWN') ??
        same.at(-1) ??
        null
      );
    },
    keep,
  };
}

async function write<Field extends string>(
  page: ImportPage,
  table: RecordTable<Field>,
  touched: readonly Touched<Field>[],
): Promise<void> {
  const { tx } = page;
  const { schema } = table;
  const names = Object.keys(table.fields) as Field[];
  const differing = ({ before, now }: Touched<Field>): readonly Field[] =>
    names.filter((name) => before !== null && before.values[name] !== now.values[name]);
  const added = touched.filter(({ before }) => before === null);
  const changed = touched.filter((entry) => differing(entry).length > 0);
  const columns = Object.fromEntries(names.map((name) => [table.fields[name].column, table.fields[name].type]));
  const valuesOf = ({ now: { values } }: Touched<Field>): Record<string, string | null> => ({
    ...Object.fromEntries(names.map((name) => [table.fields[name].column, values[name]])),
    ...table.made(values),
  });
  await insertRows<Record<string, unknown>>(
    tx,
    `${schema}.${table.table}`,
    { id: 'uuid', citizen_id: 'uuid', unit_no: 'int', waiting_hash: 'bytea', ...columns, ...table.madeColumns },
    added.map((entry) => ({
      id: entry.now.id,
      citizen_id: entry.now.citizenId,
      unit_no: entry.now.unitNo,
      waiting_hash: entry.now.waitingHash === null ? null : `\\x${entry.now.waitingHash}`,
      ...valuesOf(entry),
    })),
  );
  if (changed.length > 0) {
    const written = { ...columns, ...table.madeColumns };
    await tx.query(
      `update ${schema}.${table.table} r set version = r.version + 1, updated_at = clock_timestamp(),
         ${Object.keys(written)
           .map((column) => `${column} = n.${column}`)
           .join(', ')}
       from json_to_recordset($1::json) as n (id uuid, ${Object.entries(written)
         .map(([column, type]) => `${column} ${type}`)
         .join(', ')})
       where r.id = n.id`,
      [JSON.stringify(changed.map((entry) => ({ id: entry.now.id, ...valuesOf(entry) })))],
    );
  }
  await remember(page, table, [...added, ...changed], differing);
  await raise(page, table, touched);
  await publish(
    tx,
    [...added, ...changed].map(({ before, now }) => ({
      kind: table.event,
      subject: now.id,
      version: before === null ? 1 : before.version + 1,
      unitBefore: before?.unitNo ?? null,
      unitAfter: now.unitNo,
      payload: {},
    })),
  );
  await table.after?.(tx, [
    ...new Set([...added, ...changed].map(({ now }) => now.citizenId).filter((citizen) => citizen !== null)),
  ]);
}

async function remember<Field extends string>(
  { tx, id, caller }: ImportPage,
  { schema, table, fields, standing, freshHistory }: RecordTable<Field>,
  entries: readonly Touched<Field>[],
  differing: (entry: Touched<Field>) => readonly Field[],
): Promise<void> {
  const side = ({ values }: Known<Field>, names: readonly Field[]): Record<string, string | null> =>
    Object.fromEntries(names.map((name) => [name, values[name]]));
  await insertRows(
    tx,
    `${schema}.change`,
    {
      id: 'uuid',
      record_id: 'uuid',
      citizen_id: 'uuid',
      unit_no: 'int',
      version: 'int',
      principal: 'text',
      principal_name: 'text',
      cause: 'text',
      cause_id: 'text',
      action: 'text',
      before: 'jsonb',
      after: 'jsonb',
    },
    entries.map((entry) => {
      const { before, now } = entry;
      const names = before === null ? (Object.keys(fields) as Field[]) : differing(entry);
      return {
        id: randomUUIDv7(),
        record_id: now.id,
        citizen_id: now.citizenId,
        unit_no: now.unitNo,
        version: before === null ? 1 : before.version + 1,
        principal: caller.principal.id,
        principal_name: caller.principal.name,
        cause: 'IMPORT',
        cause_id: id,
        action: `${table}.${before === null ? 'created' : 'changed'}`,
        before: before === null ? null : side(before, names),
        after: {
          ...side(now, names),
          ...(before === null && {
            [standing.column]: standing.fresh,
            ...freshHistory,
            orgUnit: unitId(now.unitNo),
            ...(now.citizenId !== null && { citizen: now.citizenId }),
          }),
        },
      };
    }),
  );
}

/** A file that contradicts something confirmed asks once; whoever decides looks at the paper. */
async function raise<Field extends string>(
  { tx }: ImportPage,
  { schema, table, event }: RecordTable<Field>,
  touched: readonly Touched<Field>[],
): Promise<void> {
  const asked = touched.filter(({ contradicted, before }) => contradicted.size > 0 && before !== null);
  if (asked.length === 0) return;
  const opened = await tx.query<{
    readonly id: string;
    readonly record: string;
    readonly version: number;
    readonly citizenId: string | null;
    readonly unitNo: number;
    readonly raisedAt: string;
  }>(
    `insert into ${schema}.work (id, ${table}_id, citizen_id, unit_no, kind, found_by)
     select uuidv7(), n.id, n.citizen_id, n.unit_no, 'DIFFERENT', 'IMPORT' from json_to_recordset($1::json) as n (id uuid, citizen_id uuid, unit_no int)
     where not exists (select from ${schema}.work w where w.${table}_id = n.id and w.kind = 'DIFFERENT')
     returning id, ${table}_id as record, version, citizen_id as "citizenId", unit_no as "unitNo",
       to_char(raised_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "raisedAt"`,
    [JSON.stringify(asked.map(({ now }) => ({ id: now.id, citizen_id: now.citizenId, unit_no: now.unitNo })))],
  );
  await publish(
    tx,
    opened.map(({ record, version, citizenId, unitNo, raisedAt }) => ({
      kind: 'WORK',
      subject: record,
      version,
      unitBefore: null,
      unitAfter: unitNo,
      payload: {
        source: event === 'CARD' ? 'INSURANCE' : 'RESULTS',
        kind: 'DIFFERENT',
        field: null,
        citizenId,
        citizenUnit: citizenId === null ? null : unitNo,
        foundBy: 'IMPORT',
        state: 'OPEN',
        raisedAt,
      },
    })),
  );
}
