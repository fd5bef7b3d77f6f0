import { randomUUIDv7 } from 'node:crypto';
import type { Headings, TableRow } from '#kernel/csv-table.ts';
import type { Transaction } from '#kernel/db/database.ts';
import { unitLevels, type UnitLevel } from '#kernel/db/hub.entity.ts';
import { insertRows } from '#kernel/db/insert-rows.ts';
import { publish } from '#kernel/db/outbox.ts';
import type { Parsed } from '#kernel/domain/brand.ts';
import { unitId, unitSubject } from '#kernel/domain/ids.ts';
import { fold } from '#kernel/domain/person-name.ts';
import { parsePlainDay } from '#kernel/domain/plain-date.ts';
import { refusedRow, type ImportKind, type ImportPage, type RowOutcome } from '#kernel/imports/import-kind.ts';
import { cellReader } from '#kernel/imports/row-cells.ts';
import { mayStandBelow, parseUnitCode, parseUnitName } from './unit-rules.ts';
import { Units, unitRowsText, type UnitRow } from './units.ts';

/* A file of units: new ones are added below units that stand, known ones get their name. A file moves nobody and ends nothing. */

type UnitColumn = 'code' | 'name' | 'level' | 'parent_code' | 'valid_from';

const headings: Headings<UnitColumn> = {
  required: ['code', 'name', 'level'],
  names: {
    code: ['Mã đơn vị', 'Mã trạm', 'Mã cơ sở', 'Mã CSKCB'],
    name: ['Tên đơn vị', 'Tên trạm', 'Tên cơ sở', 'Tên'],
    level: ['Cấp', 'Cấp đơn vị', 'Loại đơn vị'],
    parent_code: ['Mã đơn vị cấp trên', 'Đơn vị cấp trên', 'Trực thuộc', 'Mã đơn vị chủ quản'],
    valid_from: ['Ngày hiệu lực', 'Từ ngày', 'Ngày thành lập'],
  },
};

export const unitsImport: ImportKind<UnitColumn> = {
  kind: 'UNITS',
  subgraph: 'organisation',
  permissions: ['unit:write', 'import:send'],
  action: 'unit.imported',
  type: 'OrgUnit',
  headings,
  // A parent stands in the same page, on whichever line, or in one before.
  pageSize: 2_000,
  decide: () => ({}),
  // Each depends on those above it: all are tried together.
  sameAs: () => '',
  page: readUnits,
};

interface Entry {
  readonly before: UnitRow | null;
  now: UnitRow;
}

async function readUnits(
  page: ImportPage<UnitColumn>,
  rows: Parameters<typeof unitsImport.page>[1],
): Promise<readonly RowOutcome[]> {
  const { tx, caller } = page;
  await tx.query(`select pg_advisory_xact_lock(hashtextextended('hub.unit', 0)) is null as locked`);
  const units = new Units(await tx.query<UnitRow>(unitRowsText));
  const everywhere = caller.principal.kind === 'CLI';
  const byCode = new Map<string, UnitRow>();
  for (const unit of await tx.query<UnitRow>(`${unitRowsText} where valid_to is null`)) byCode.set(unit.code, unit);
  const fresh = new Set<number>();
  const theirs = (unit: UnitRow): boolean =>
    everywhere || fresh.has(unit.number) || units.standsOver(caller.principal.unitNo, unit.number);
  const touched = new Map<number, Entry>();
  const outcomes: RowOutcome[] = [];
  for (const row of parentsFirst(rows)) {
    const cells = cellReader(row);
    const code = cells.needed('code', parseUnitCode);
    const name = cells.needed('name', parseUnitName);
    const level = cells.needed('level', parseLevel);
    const parentCode = cells.stated('parent_code', parseUnitCode);
    const validFrom = cells.stated('valid_from', parsePlainDay);
    const read = cells.done({ code, name, level });
    if (!read.ok || code === null || name === null || level === null) {
      if (!read.ok) outcomes.push(read.error);
      continue;
    }
    const known = byCode.get(code) ?? null;
    const parent = parentCode === null ? null : (byCode.get(parentCode) ?? null);
    const { line } = row;
    if (known !== null) {
      // The code of a unit of someone else is taken, and no more is said.
      if (!theirs(known)) outcomes.push(refusedRow(line, 'code', 'UNIT_CODE_TAKEN'));
      else if (known.level !== level) outcomes.push(refusedRow(line, 'level', 'UNIT_CHANGED_BY_HAND'));
      else if (parentCode !== null && known.parent !== (parent?.number ?? null))
        outcomes.push(refusedRow(line, 'parent_code', 'UNIT_CHANGED_BY_HAND'));
      else {
        const entry = touched.get(known.number) ?? { before: known, now: known };
        const end = known.name === name ? 'UNCHANGED' : 'CHANGED';
        entry.now = { ...known, name };
        byCode.set(code, entry.now);
        touched.set(known.number, entry);
        outcomes.push({ line, end, subject: unitSubject(known.number) });
      }
      continue;
    }
    if (parent === null || !theirs(parent)) {
      // The province itself comes by the machine's own operator, before there is any unit.
      const first = level === 'PROVINCE' && parentCode === null && everywhere && byCode.size === 0;
      if (!first) {
        outcomes.push(refusedRow(line, 'parent_code', 'UNIT_PARENT_NEEDED'));
        continue;
      }
    } else if (!mayStandBelow(level, parent.level)) {
      outcomes.push(refusedRow(line, 'level', 'UNIT_LEVEL_ORDER'));
      continue;
    }
    const number = await nextNumber(tx);
    const now = {
      number,
      code,
      name,
      level,
      parent: parent?.number ?? null,
      version: 1,
      validFrom: validFrom ?? page.today,
      validTo: null,
    };
    fresh.add(number);
    byCode.set(code, now);
    touched.set(number, { before: null, now });
    outcomes.push({ line, end: 'ADDED', subject: unitSubject(number) });
  }
  if (!everywhere) await widen(tx, units.scopeOf(caller.principal.unitNo).units, [...fresh]);
  await write(page, [...touched.values()]);
  return outcomes;
}

/** In the order of the file, but a unit after the row of the one above it; of units that stand in a circle one is first, and finds nothing above. */
function parentsFirst(rows: readonly TableRow<UnitColumn>[]): readonly TableRow<UnitColumn>[] {
  const byCode = new Map([...rows].reverse().map((row) => [row.cells?.code, row]));
  const ordered = new Set<TableRow<UnitColumn>>();
  const begun = new Set<TableRow<UnitColumn>>();
  const put = (row: TableRow<UnitColumn>): void => {
    if (begun.has(row)) return;
    begun.add(row);
    const above = row.cells?.parent_code === undefined ? undefined : byCode.get(row.cells.parent_code);
    if (above !== undefined) put(above);
    ordered.add(row);
  };
  rows.forEach(put);
  return [...ordered];
}

async function nextNumber(tx: Transaction): Promise<number> {
  const [given] = await tx.query<{ readonly number: number }>(`select nextval('hub.unit_number')::int as number`);
  if (given === undefined) throw new Error('PostgreSQL gave no number.');
  return given.number;
}

/** Lock two follows the tree of now, for the history that this page writes. */
async function widen(tx: Transaction, units: string, fresh: readonly number[]): Promise<void> {
  const added = `{${fresh.map((number) => `[${String(number)},${String(number)}]`).join(',')}}`;
  await tx.query(
    `select set_config('hub.scope', (scope.units + $2::int4multirange + scope.session)::text, true)
     from (select $1::int4multirange as units, current_setting('hub.scope')::int4multirange as session) scope`,
    [units, added],
  );
}

async function write({ tx, id, caller }: ImportPage, entries: readonly Entry[]): Promise<void> {
  const added = entries.filter(({ before }) => before === null);
  const renamed = entries.filter(({ before, now }) => before !== null && before.name !== now.name);
  await insertRows(
    tx,
    'hub.unit',
    { number: 'int', code: 'text', name: 'text', level: 'text', parent_number: 'int', valid_from: 'date' },
    added.map(({ now: { number, code, name, level, parent, validFrom } }) => ({
      number,
      code,
      name,
      level,
      parent_number: parent,
      valid_from: validFrom,
    })),
  );
  if (renamed.length > 0) {
    await tx.query(
      `update hub.unit u set name = n.name, version = u.version + 1 from unnest($1::int[], $2::text[]) n(number, name) where u.number = n.number`,
      [renamed.map(({ now }) => now.number), renamed.map(({ now }) => now.name)],
    );
  }
  const changed = [...added, ...renamed];
  await insertRows(
    tx,
    'organisation.change',
    {
      id: 'uuid',
      record_id: 'text',
      unit_no: 'int',
      version: 'int',
      effective_from: 'date',
      principal: 'text',
      principal_name: 'text',
      cause: 'text',
      cause_id: 'text',
      action: 'text',
      before: 'jsonb',
      after: 'jsonb',
    },
    changed.map(({ before, now }) => ({
      id: randomUUIDv7(),
      record_id: unitId(now.number),
      unit_no: now.number,
      version: before === null ? 1 : before.version + 1,
      effective_from: before === null ? now.validFrom : null,
      principal: caller.principal.id,
      principal_name: caller.principal.name,
      cause: 'IMPORT',
      cause_id: id,
      action: before === null ? 'unit.created' : 'unit.changed',
      before: before === null ? null : { name: before.name },
      after:
        before === null
          ? {
              code: now.code,
              name: now.name,
              level: now.level,
              validFrom: now.validFrom,
              ...(now.parent !== null && { parent: unitId(now.parent) }),
            }
          : { name: now.name },
    })),
  );
  await publish(
    tx,
    changed.map(({ before, now }) => ({
      kind: 'UNIT',
      subject: unitSubject(now.number),
      version: before === null ? 1 : before.version + 1,
      unitBefore: before === null ? null : now.number,
      unitAfter: now.number,
      payload: {},
    })),
  );
}

const levelNames: Readonly<Record<string, UnitLevel>> = {
  tinh: 'PROVINCE',
  'trung tam': 'CENTRE',
  'trung tam y te': 'CENTRE',
  tram: 'STATION',
  'tram y te': 'STATION',
  'co so': 'FACILITY',
  'co so kcb': 'FACILITY',
};

function parseLevel(text: string): Parsed<UnitLevel, 'UNIT_LEVEL_WORD'> {
  const level = unitLevels.find((known) => known === text.toUpperCase()) ?? levelNames[fold(text)];
  return level === undefined ? { ok: false, reason: 'UNIT_LEVEL_WORD' } : { ok: true, value: level };
}
