import { randomUUIDv7 } from 'node:crypto';
import type { Transaction } from '#kernel/db/database.ts';
import type { RowEnd } from '#kernel/db/hub.entity.ts';
import { insertRows } from '#kernel/db/insert-rows.ts';
import { publish, type OutboxEvent } from '#kernel/db/outbox.ts';
import { fieldBits } from '#kernel/domain/citizen-field.ts';
import { unitId } from '#kernel/domain/ids.ts';
import { fold, sortName, type PersonName } from '#kernel/domain/person-name.ts';
import { firstDay, lastDay, precisionOf, type PlainDate } from '#kernel/domain/plain-date.ts';
import { hashIdentifier } from '#kernel/identifier-hash.ts';
import { refusedRow, type ImportPage, type RowOutcome } from '#kernel/imports/import-kind.ts';
import { currentPlace } from '#kernel/places/index.ts';
import type { ImportColumn, ImportedCitizen } from './import-file.ts';
import {
  after,
  blank,
  compare,
  identify,
  introduce,
  type Difference,
  type KnownCitizen,
  type Outcome,
  type ValueName,
} from './import-match.ts';
import { findKnown, type KnownPeople } from './import-known.ts';
import { insertNameKeys } from './name-keys.ts';

/* One page of an import: who its rows are, and what of it is written, by sets, never row by row. */

export type PageContext = Pick<ImportPage<ImportColumn>, 'tx' | 'id' | 'caller' | 'units' | 'identifierKey'>;

export type PageRow = ImportedCitizen & { readonly unitNo: number };

/** A person whom rows of this page mean, and what they made of him. */
interface Touched {
  /** As he stood before the page; null for a newcomer. */
  readonly before: KnownCitizen | null;
  now: KnownCitizen;
  readonly changed: Set<ValueName>;
  readonly lists: { permanent: Outcome['lists']['permanent']; current: Outcome['lists']['current'] };
  readonly differences: Difference[];
  /** This import's sender named him by its own key. */
  sourceKey: string | null;
}

export async function importPage(page: PageContext, rows: readonly PageRow[]): Promise<readonly RowOutcome[]> {
  const { tx, caller } = page;
  // One import of a sender at a time: two files at once must not both find nobody.
  await tx.query(`select pg_advisory_xact_lock(hashtextextended('citizens.import', $1)) is null as locked`, [
    caller.principal.unitNo,
  ]);
  const known = await findKnown(page, rows);
  const { touched, outcomes } = decide(known, rows);
  await write(page, known, touched);
  return outcomes;
}

function decide(
  known: KnownPeople,
  rows: readonly PageRow[],
): { readonly touched: readonly Touched[]; readonly outcomes: readonly RowOutcome[] } {
  const touched = new Map<string, Touched>();
  const outcomes = rows.map((row): RowOutcome => {
    const identity = identify(row, known.candidates(row));
    if (identity.kind === 'ambiguous') return refusedRow(row.line, 'personal_id', 'IMPORT_AMBIGUOUS');
    if (identity.kind === 'known' && identity.citizen.unitNo !== row.unitNo)
      return refusedRow(row.line, 'unit_code', 'UNIT_DIFFERS');
    const citizen = identity.kind === 'known' ? identity.citizen : blank(randomUUIDv7(), row.unitNo, row.fullName);
    const outcome = identity.kind === 'known' ? compare(row, citizen) : introduce(row, identity.unmatched);
    const entry = touched.get(citizen.id) ?? {
      before: identity.kind === 'known' ? citizen : null,
      now: citizen,
      changed: new Set<ValueName>(),
      lists: { permanent: null, current: null },
      differences: [],
      sourceKey: null,
    };
    touched.set(citizen.id, entry);
    entry.now = after(citizen, outcome);
    known.replace(row, entry.now);
    for (const name of Object.keys(outcome.changes) as ValueName[]) entry.changed.add(name);
    if (outcome.changes.permanentCommune !== undefined) entry.lists.permanent = outcome.lists.permanent;
    if (outcome.changes.currentCommune !== undefined) entry.lists.current = outcome.lists.current;
    entry.sourceKey = outcome.sourceKey ?? entry.sourceKey;
    const differences = outcome.differences.filter(({ field, kind }) =>
      entry.differences.every((one) => one.field !== field || one.kind !== kind),
    );
    entry.differences.push(...differences);
    const end = ((): Exclude<RowEnd, 'REFUSED'> => {
      if (identity.kind === 'new') return 'ADDED';
      if (outcome.differences.length > 0) return 'WAITING';
      return Object.keys(outcome.changes).length > 0 || outcome.sourceKey !== null ? 'CHANGED' : 'UNCHANGED';
    })();
    return { line: row.line, end, subject: citizen.id };
  });
  return { touched: [...touched.values()], outcomes };
}

async function write(context: PageContext, known: KnownPeople, touched: readonly Touched[]): Promise<void> {
  const { tx } = context;
  const added = touched.filter(({ before }) => before === null);
  const changed = touched.filter(
    ({ before, changed: names, sourceKey }) => before !== null && (names.size > 0 || sourceKey !== null),
  );
  const sender = context.caller.principal.unitNo;
  await insertRows(
    tx,
    'citizens.citizen',
    citizenColumns,
    added.map((entry) => citizenRow(entry, sender)),
  );
  if (changed.length > 0) await tx.query(updateCitizens, [JSON.stringify(changed.map((entry) => citizenRow(entry, sender)))]);
  await writeNumbers(tx, [...added, ...changed]);
  await writeNameKeys(
    tx,
    added,
    changed.filter(({ changed: names }) => names.has('fullName')),
  );
  await insertRows(
    tx,
    'citizens.change',
    changeColumns,
    [...added, ...changed].map((entry) => changeRow(entry, known, context)),
  );
  const work = await raise(tx, known, touched);
  const moved = [...added, ...changed.filter(({ changed: names }) => names.has('personalId') || names.has('oldIdNumber'))];
  await publish(tx, [...moved.map((entry) => replicaEvent(entry, known, context.identifierKey)), ...work]);
  const numbers = moved.map(({ now }) => now.personalId).filter((number) => number !== null);
  if (numbers.length > 0) await tx.query('select citizens.raise_two_holders($1::text[])', [numbers]);
}

const citizenColumns = {
  id: 'uuid',
  unit_no: 'int',
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
  flags: 'text[]',
  sender_unit_no: 'int',
  source_key: 'text',
} as const;
type CitizenColumns = Record<keyof typeof citizenColumns, unknown>;

function citizenRow({ now, changed, lists, sourceKey }: Touched, sender: number): CitizenColumns {
  const name = now.fullName as PersonName;
  const birth = now.dateOfBirth as PlainDate | null;
  const place = (which: 'permanent' | 'current'): Record<string, unknown> => {
    const { text, code } = now[which];
    const list = lists[which];
    const written =
      changed.has(`${which}Commune`) && code !== null && list !== null ? { code, list, now: currentPlace(code, list) } : null;
    return {
      [`${which}_text`]: text,
      [`${which}_code`]: written?.code ?? null,
      [`${which}_list`]: written?.list ?? null,
      [`${which}_current_code`]: written?.now.currentCode ?? null,
      [`${which}_confidence`]: written?.now.confidence ?? null,
    };
  };
  return {
    id: now.id,
    unit_no: now.unitNo,
    personal_id: now.personalId,
    old_id_number: now.oldIdNumber,
    full_name: name,
    name_folded: fold(name),
    name_sort: sortName(name),
    date_of_birth: birth,
    birth_precision: birth === null ? null : precisionOf(birth),
    born_from: birth === null ? null : firstDay(birth),
    born_to: birth === null ? null : lastDay(birth),
    gender: now.gender,
    ethnicity: now.ethnicity,
    phone: now.phone,
    email: now.email,
    birthplace: now.birthplace,
    native_place: now.nativePlace,
    ...place('permanent'),
    ...place('current'),
    flags: now.flags,
    sender_unit_no: sourceKey === null ? null : sender,
    source_key: sourceKey,
  } as CitizenColumns;
}

const kept = ['id', 'unit_no', 'flags', 'permanent_current_code', 'permanent_list', 'permanent_confidence'];
const keptCurrent = ['current_current_code', 'current_list', 'current_confidence'];
const overwritten = Object.keys(citizenColumns).filter((column) => ![...kept, ...keptCurrent].includes(column));
const withCode = (which: 'permanent' | 'current'): readonly string[] =>
  ['list', 'current_code', 'confidence'].map(
    (part) => `${which}_${part} = case when n.${which}_code is null then c.${which}_${part} else n.${which}_${part} end`,
  );

/** The rows were locked when they were found, so nobody changed them since. A null never erases. */
const updateCitizens = `update citizens.citizen c set version = c.version + 1, updated_at = clock_timestamp(), flags = n.flags,
    ${[...overwritten.map((column) => `${column} = coalesce(n.${column}, c.${column})`), ...withCode('permanent'), ...withCode('current')].join(', ')}
  from json_to_recordset($1::json) as n (${Object.entries(citizenColumns)
    .map(([name, type]) => `${name} ${type}`)
    .join(', ')})
  where c.id = n.id`;

const numberColumns = {
  id: 'uuid',
  citizen_id: 'uuid',
  unit_no: 'int',
  system: 'text',
  value: 'text',
  standing: 'text',
  source: 'text',
} as const;

/** A number that takes the place of another ends it: the old one still finds the person. */
async function writeNumbers(tx: Transaction, entries: readonly Touched[]): Promise<void> {
  const systems = [
    ['personalId', 'PERSONAL_ID'],
    ['oldIdNumber', 'OLD_ID_NUMBER'],
  ] as const;
  const numbers = entries.flatMap(({ now, changed, before }) =>
    systems.flatMap(([name, system]) => {
      const value = now[name];
      return changed.has(name) && value !== null ? [{ now, system, value, ended: before?.[name] ?? null }] : [];
    }),
  );
  const ended = numbers.filter((number) => number.ended !== null);
  if (ended.length > 0) {
    await tx.query(
      `update citizens.identifier i set valid_to = greatest(i.valid_from, current_date)
       from unnest($1::uuid[], $2::text[], $3::text[]) e(citizen_id, system, value)
       where i.citizen_id = e.citizen_id and i.system = e.system and i.value = e.value and i.valid_to is null and i.standing <> 'CONFIRMED'`,
      [ended.map(({ now }) => now.id), ended.map(({ system }) => system), ended.map((number) => number.ended)],
    );
  }
  await insertRows(
    tx,
    'citizens.identifier',
    numberColumns,
    numbers.map(({ now, system, value }) => ({
      id: randomUUIDv7(),
      citizen_id: now.id,
      unit_no: now.unitNo,
      system,
      value,
      standing: 'CLAIMED',
      source: 'IMPORT',
    })),
  );
}

async function writeNameKeys(tx: Transaction, added: readonly Touched[], renamed: readonly Touched[]): Promise<void> {
  if (renamed.length > 0) {
    await tx.query('delete from citizens.name_key where citizen_id = any ($1::uuid[])', [renamed.map(({ now }) => now.id)]);
  }
  await tx.query(insertNameKeys, [[...added, ...renamed].map(({ now }) => now.id)]);
}

const changeColumns = {
  id: 'uuid',
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
} as const;

function changeRow(
  { before, now, changed, sourceKey }: Touched,
  known: KnownPeople,
  { id, caller }: PageContext,
): Record<keyof typeof changeColumns, unknown> {
  const side = (citizen: KnownCitizen): Record<string, string | null> => ({
    ...Object.fromEntries([...changed].map((name) => [name, valueOf(citizen, name)])),
    ...(changed.has('permanentCommune') && { permanentList: citizen.permanent.list }),
    ...(changed.has('currentCommune') && { currentList: citizen.current.list }),
  });
  const key = sourceKey === null ? {} : { sourceKey, senderUnit: unitId(caller.principal.unitNo) };
  const noKey = sourceKey === null ? {} : { sourceKey: null, senderUnit: null };
  return {
    id: randomUUIDv7(),
    citizen_id: now.id,
    unit_no: now.unitNo,
    version: before === null ? 1 : known.versionOf(now.id) + 1,
    principal: caller.principal.id,
    principal_name: caller.principal.name,
    cause: 'IMPORT',
    cause_id: id,
    action: before === null ? 'citizen.created' : 'citizen.changed',
    before: before === null ? null : { ...side(before), ...noKey },
    after:
      before === null ? { ...side(now), ...key, orgUnit: unitId(now.unitNo), lifeStatus: 'ACTIVE' } : { ...side(now), ...key },
  };
}

function valueOf(citizen: KnownCitizen, name: ValueName): string | null {
  switch (name) {
    case 'permanentAddress':
      return citizen.permanent.text;
    case 'permanentCommune':
      return citizen.permanent.code;
    case 'currentAddress':
      return citizen.current.text;
    case 'currentCommune':
      return citizen.current.code;
    case 'personalId':
    case 'oldIdNumber':
    case 'fullName':
    case 'dateOfBirth':
    case 'gender':
    case 'ethnicity':
    case 'phone':
    case 'email':
    case 'birthplace':
    case 'nativePlace':
      return citizen[name];
  }
}

/** Opens the work that is not open yet, and marks the fields; a repeat of the file finds it open and adds nothing. */
async function raise(tx: Transaction, known: KnownPeople, touched: readonly Touched[]): Promise<readonly OutboxEvent[]> {
  const found = touched.flatMap(({ now, differences }) =>
    differences
      .filter(({ field, kind }) => !known.isOpen(now.id, field, kind))
      .map((difference) => ({ now, difference, id: randomUUIDv7() })),
  );
  if (found.length === 0) return [];
  const raisedAt = new Date().toISOString();
  await insertRows(
    tx,
    'citizens.discrepancy',
    {
      id: 'uuid',
      citizen_id: 'uuid',
      unit_no: 'int',
      field: 'text',
      kind: 'text',
      found_by: 'text',
      ours: 'text',
      theirs: 'text',
      raised_at: 'timestamptz',
    },
    found.map(({ now, difference: { field, kind, ours, theirs }, id }) => ({
      id,
      citizen_id: now.id,
      unit_no: now.unitNo,
      field,
      kind,
      found_by: 'IMPORT',
      ours,
      theirs,
      raised_at: raisedAt,
    })),
  );
  const conflicts = found.filter(({ difference }) => difference.kind === 'DIFFERENT');
  await tx.query(
    `update citizens.citizen c set conflicted = c.conflicted | n.bits
     from (select id, bit_or(bits) as bits from unnest($1::uuid[], $2::int[]) u(id, bits) group by id) n where c.id = n.id`,
    [conflicts.map(({ now }) => now.id), conflicts.map(({ difference }) => fieldBits([difference.field]))],
  );
  return found.map(({ now, difference: { field, kind }, id }) => ({
    kind: 'WORK',
    subject: id,
    version: 1,
    unitBefore: null,
    unitAfter: now.unitNo,
    payload: {
      source: 'CITIZENS',
      kind,
      field,
      citizenId: now.id,
      citizenUnit: now.unitNo,
      foundBy: 'IMPORT',
      state: 'OPEN',
      raisedAt,
    },
  }));
}

function replicaEvent({ before, now }: Touched, known: KnownPeople, key: Buffer): OutboxEvent {
  const numbers = new Set([
    ...known.allNumbersOf(now.id),
    ...now.numbers,
    ...(now.oldIdNumber === null ? [] : [now.oldIdNumber]),
  ]);
  return {
    kind: 'CITIZEN',
    subject: now.id,
    version: before === null ? 1 : known.versionOf(now.id) + 1,
    unitBefore: before === null ? null : now.unitNo,
    unitAfter: now.unitNo,
    payload: {
      hashes: [...numbers].map((number) => hashIdentifier(key, number).toString('hex')),
      lifeStatus: known.lifeStatusOf(now.id),
      mergedInto: null,
    },
  };
}
