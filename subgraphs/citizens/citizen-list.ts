import { citizenFields } from '#kernel/domain/citizen-field.ts';
import { candidateLimit, type CitizenFilter, type CitizenOrder, type OrderBy, type Place } from './citizen-filter.ts';
import { inScope, unitsInScope, type Walk } from './citizen-reads.ts';
import { stateLetters } from './field-status.ts';

/*
 * How a list with filters or an order finds its page without looking at more than some 10,000 rows, behind the row policy, where only
 * leakproof conditions reach an index.
 *
 * `sparse`: a filter that has an index of its own collects candidates, at most 10,000, which are then checked against the other
 * filters and sorted. `dense`: more candidates than that, so hits are frequent; the walk goes along the index of the order and keeps
 * what fits. Whole tables are walked through a window of 10,000 rows; where hits lie further apart, the page is short and its cursor
 * goes on behind the window. Units are walked one by one and merged.
 *
 * Every value is a parameter; what stands in the texts is chosen from literals of this file, so the number of texts is bounded.
 */

export interface Statement {
  readonly name: string;
  readonly text: string;
  readonly values: readonly unknown[];
}

export interface ListQuestion {
  readonly filter: CitizenFilter;
  readonly order: CitizenOrder;
  readonly after: Place | null;
  /** Rows wanted: one more than the page holds. */
  readonly limit: number;
  readonly walk: Walk;
  /** A legal basis for one person. */
  readonly basis: string | null;
  readonly columns: { readonly name: string; readonly columns: string };
}

/** Filters with an index of their own. */
export const accesses = ['basis', 'number', 'name', 'life', 'updated', 'birth', 'states'] as const;
/** `basis`: the one person of a legal basis. */
export type Access = (typeof accesses)[number];

/** Values from `$2` on; `$1` is the scope. */
class Values {
  readonly list: unknown[] = [];

  add(value: unknown, type: string): string {
    this.list.push(value);
    return `$${String(this.list.length + 1)}::${type}`;
  }
}

interface SortColumn {
  /** Name of the column of citizens.citizen. */
  readonly column: string;
  readonly type: string;
  /** How the cursor writes it, without loss. */
  readonly text: (column: string) => string;
}

const sortColumns: Readonly<Record<Exclude<OrderBy, 'id'>, SortColumn>> = {
  fullName: { column: 'name_sort', type: 'text', text: (column) => column },
  dateOfBirth: { column: 'birth_sort', type: 'date', text: (column) => `${column}::text` },
  updatedAt: {
    column: 'updated_at',
    type: 'timestamptz',
    text: (column) => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`,
  },
};

/** Which indexes could collect the candidates of a filter. */
export function accessesFor({ filter, basis }: ListQuestion): readonly Access[] {
  if (basis !== null) return ['basis'];
  return accesses.filter((access) => {
    switch (access) {
      case 'basis':
        return false;
      case 'number':
        return filter.text?.kind === 'number';
      case 'name':
        return filter.text?.kind === 'name';
      case 'life':
        return filter.lifeStatus !== null && filter.lifeStatus !== 'ACTIVE';
      case 'updated':
        return filter.updatedSince !== null;
      case 'birth':
        return filter.bornFrom !== null || filter.bornTo !== null;
      case 'states':
        return filter.fieldStatus !== null;
    }
  });
}

/** Whether the filter holds nothing but what the access itself finds, so that a full access is a full list. */
export function coveredBy(question: ListQuestion, access: Access): boolean {
  return accessesFor(question).length === 1 && (question.filter.lifeStatus === null || access === 'life');
}

/** Whether the walk along the order's own index is already held within the range of this filter. */
export function walkedBy({ order }: ListQuestion, access: Access): boolean {
  return (order.by === 'dateOfBirth' && access === 'birth') || (order.by === 'updatedAt' && access === 'updated');
}

/** Candidates by one index, `id`, no more than one beyond the limit; a person may come twice. */
function candidates(access: Access, { filter, walk, basis }: ListQuestion, values: Values): string {
  const limit = String(candidateLimit + 1);
  const along = (table: string, id: string, conditions: string): string => {
    const rows = `select r.${id} as id from ${table} r where`;
    switch (walk) {
      case 'whole':
        return `${rows} ${conditions} and ${inScope('r')} limit ${limit}`;
      case 'units':
        return `select w.id from ${unitsInScope} cross join lateral (
          ${rows} r.unit_no = u.no and ${conditions} and ${inScope('r')} limit ${limit}) w limit ${limit}`;
    }
  };
  switch (access) {
    case 'basis':
      return `select c.id from citizens.citizen c where c.id = ${values.add(basis, 'uuid')} and ${inScope('c')}`;
    case 'number': {
      const number = values.add(filter.text?.kind === 'number' ? filter.text.value : '', 'text');
      return `select coalesce(c.merged_into, c.id) as id from citizens.identifier i join citizens.citizen c on c.id = i.citizen_id
        where i.value = ${number} and ${inScope('i')} and ${inScope('c')} limit ${limit}`;
    }
    case 'name': {
      const from = filter.text?.kind === 'name' ? filter.text.folded : '';
      // Keys hold letters, blanks and the signs ' . - only: all of them before "~".
      return along(
        'citizens.name_key',
        'citizen_id',
        `r.key >= ${values.add(from, 'text')} and r.key < ${values.add(`${from}~`, 'text')}`,
      );
    }
    case 'life':
      return along('citizens.citizen', 'id', `r.life_status = '${filter.lifeStatus ?? 'MERGED'}'`);
    case 'updated':
      return along('citizens.citizen', 'id', `r.updated_at >= ${values.add(filter.updatedSince, 'timestamptz')}`);
    case 'birth':
      return along('citizens.citizen', 'id', ranges(filter, 'r', values, 'dateOfBirth').join(' and '));
    case 'states':
      return statesCandidates(filter, walk, limit);
  }
}

/**
 * People by one letter of their ten: the different sheets of a province are few, so they are told one by one along the index, and
 * only those that fit are opened.
 */
function statesCandidates(filter: CitizenFilter, walk: Walk, limit: string): string {
  const letter = `substr(s.states, ${String(positionOf(filter))}, 1) = '${letterOf(filter)}'`;
  const next = (from: string, more: string): string =>
    `(select r.states from citizens.citizen r where ${from}${more} and ${inScope('r')} order by r.states limit 1)`;
  switch (walk) {
    case 'whole':
      return `with recursive s(states) as (
          select ${next('true', '')}
          union all select ${next('true', ' and r.states > s.states')} from s where s.states is not null)
        select w.id from s cross join lateral (
          select r.id from citizens.citizen r where r.states = s.states and ${inScope('r')} limit ${limit}) w
        where ${letter} limit ${limit}`;
    case 'units':
      return `with recursive s(unit, states) as (
          select u.no, ${next('r.unit_no = u.no', '')} from ${unitsInScope}
          union all
          select s.unit, ${next('r.unit_no = s.unit', ' and r.states > s.states')} from s where s.states is not null)
        select w.id from s cross join lateral (
          select r.id from citizens.citizen r where r.unit_no = s.unit and r.states = s.states and ${inScope('r')} limit ${limit}) w
        where ${letter} limit ${limit}`;
  }
}

function positionOf({ fieldStatus }: CitizenFilter): number {
  return fieldStatus === null ? 1 : citizenFields.indexOf(fieldStatus.field) + 1;
}

function letterOf({ fieldStatus }: CitizenFilter): string {
  return fieldStatus === null ? '' : stateLetters[fieldStatus.status];
}

/** Conditions that are a range of the order's own index. */
function ranges(
  { bornFrom, bornTo, updatedSince }: CitizenFilter,
  alias: string,
  values: Values,
  by: OrderBy,
): readonly string[] {
  if (by === 'updatedAt' && updatedSince !== null) return [`${alias}.updated_at >= ${values.add(updatedSince, 'timestamptz')}`];
  if (by !== 'dateOfBirth' || (bornFrom === null && bornTo === null)) return [];
  return [
    ...(bornFrom === null ? [] : [`${alias}.birth_sort >= ${values.add(bornFrom, 'date')}`]),
    // Who has no birth date sorts at infinity and was certainly born on no day.
    bornTo === null ? `${alias}.birth_sort < 'infinity'` : `${alias}.birth_sort <= ${values.add(bornTo, 'date')}`,
  ];
}

/**
 * Every filter as a condition on one row of citizens.citizen, but for what the `access` that found it already ensures. None of it needs
 * an index: the rows are few by now.
 */
function conditions(question: ListQuestion, alias: string, values: Values, access: Access | null): string {
  const { filter, basis } = question;
  const { text, lifeStatus, fieldStatus, bornTo } = filter;
  const all = [
    lifeStatus === null ? `${alias}.life_status <> 'MERGED'` : `${alias}.life_status = '${lifeStatus}'`,
    ...ranges(filter, alias, values, 'dateOfBirth'),
    ...ranges(filter, alias, values, 'updatedAt'),
  ];
  if (bornTo !== null) all.push(`${alias}.born_to <= ${values.add(bornTo, 'date')}`);
  if (fieldStatus !== null && access !== 'states')
    all.push(`substr(${alias}.states, ${String(positionOf(filter))}, 1) = '${letterOf(filter)}'`);
  // A name is looked for from the start of a word, sign by sign; who is found by a number was found by its index, save on a basis.
  if (text?.kind === 'name' && access !== 'name')
    all.push(`strpos(' ' || ${alias}.name_folded, ' ' || ${values.add(text.folded, 'text')}) > 0`);
  if (text?.kind === 'number' && basis !== null) {
    const number = values.add(text.value, 'text');
    all.push(
      `exists (select from citizens.identifier i where i.citizen_id = ${alias}.id and i.value = ${number} and ${inScope('i')})`,
    );
  }
  return all.join(' and ');
}

function sortOf(order: CitizenOrder): SortColumn | null {
  return order.by === 'id' ? null : sortColumns[order.by];
}

function orderBy(order: CitizenOrder, alias: string): string {
  const direction = order.descending ? ' desc' : '';
  const sort = sortOf(order);
  return `${sort === null ? '' : `${alias}.${sort.column}${direction}, `}${alias}.id${direction}`;
}

function behind({ order, after }: ListQuestion, alias: string, values: Values): string {
  if (after === null) return 'true';
  const sign = order.descending ? '<' : '>';
  const sort = sortOf(order);
  const id = values.add(after.id, 'uuid');
  return sort === null
    ? `${alias}.id ${sign} ${id}`
    : `(${alias}.${sort.column}, ${alias}.id) ${sign} (${values.add(after.sort, sort.type)}, ${id})`;
}

/** The rows of a page in full, from their ids and places `p`. */
function inFull(question: ListQuestion, page: string): string {
  const { order, columns } = question;
  const sort = sortOf(order);
  const place = sort === null ? 'null::text' : sort.text(`p.${sort.column}`);
  return `select x.*, ${place} as sort from (${page}) p cross join lateral (
      select ${columns.columns} from citizens.citizen c where c.id = p.id and ${inScope('c')} limit 1) x
    order by ${orderBy(order, 'p')}`;
}

function nameOf(question: ListQuestion, how: string): string {
  const { order, walk, columns } = question;
  return `citizens.list.${how}.${walk}.${order.by}${order.descending ? '-desc' : ''}.${columns.name}`;
}

/** As an array the candidates are one scan of the index of ids; joined row by row they cost three times as much. */
function amongFound(unless: string): string {
  return `c.id = any (array(select distinct id from found${unless}))`;
}

/** Too many candidates are as good as none: not one of them is opened. */
const unlessTooMany = ` where (select candidates from n) <= ${String(candidateLimit)}`;

/**
 * The page among the candidates of one access. Each row carries `candidates`, how many there were; with more than the limit there is
 * one row, empty but for that. Without hits there is one row whose `id` is null.
 */
export function sparsePage(question: ListQuestion, access: Access): Statement {
  const values = new Values();
  const { order, limit } = question;
  const sort = sortOf(order);
  const found = candidates(access, question, values);
  const place = behind(question, 'c', values);
  const fits = conditions(question, 'c', values, access);
  const count = values.add(limit, 'int');
  const row = `${place} and ${fits} and ${inScope('c')}`;
  // By id the candidates are opened in their order, and only until the page is full; else all of them, in one walk along their ids.
  const page =
    sort === null
      ? `select i.id from (select distinct id from found${unlessTooMany} order by id${order.descending ? ' desc' : ''}) i
          cross join lateral (select 1 from citizens.citizen c where c.id = i.id and ${row} limit 1) fits
          order by ${orderBy(order, 'i')} limit ${count}`
      : `select c.id, c.${sort.column} from citizens.citizen c where ${amongFound(unlessTooMany)} and ${row}
          order by ${orderBy(order, 'c')} limit ${count}`;
  return {
    name: nameOf(question, access),
    text: `with found as materialized (${found}), n as (select count(*)::int as candidates from found)
      select n.candidates, x.* from n left join (${inFull(question, page)}) x on true`,
    values: values.list,
  };
}

/** Rows of one step of a walk; few enough that walking the index always looks cheaper to the planner than sorting the table. */
const stepSize = 250;
const steps = candidateLimit / stepSize;

/**
 * A walk of the whole table along the index of the order, step by step, as `walk(step, ids, places, id, place)`: the people of a step and
 * their places in the order, and where the step ended. Made only as far as it is read, and no further than the window.
 */
function walkOf(question: ListQuestion, values: Values): string {
  const { order, filter } = question;
  const column = sortOf(order)?.column ?? 'id';
  const sign = order.descending ? '<' : '>';
  const within = ranges(filter, 'c', values, order.by);
  const step = (number: string, place: string): string => `
    select ${number} as step, array_agg(r.id) as ids, array_agg(r.place) as places,
      (array_agg(r.id))[${String(stepSize)}] as id, (array_agg(r.place))[${String(stepSize)}] as place
    from (select c.id, c.${column} as place from citizens.citizen c where ${[place, ...within].join(' and ')} and ${inScope('c')}
      order by ${orderBy(order, 'c')} limit ${String(stepSize)}) r`;
  const further = column === 'id' ? `c.id ${sign} walk.id` : `(c.${column}, c.id) ${sign} (walk.place, walk.id)`;
  return `with recursive walk as (${step('1', behind(question, 'c', values))}
    union all
    select s.* from walk cross join lateral (${step('walk.step + 1', further)}) s where walk.id is not null and walk.step < ${String(steps)})`;
}

/** The page along the index of the order. */
export function densePage(question: ListQuestion): Statement {
  const values = new Values();
  const { order, walk, filter } = question;
  const column = sortOf(order)?.column ?? 'id';
  const page = (): string => {
    switch (walk) {
      case 'whole': {
        // No sort in here: it would make the walk go to the end of its window before the first row is known.
        const made = walkOf(question, values);
        const place = column === 'id' ? '' : `, i.place as ${column}`;
        return `${made} select i.id${place} from walk cross join lateral unnest(walk.ids, walk.places) as i(id, place)
          cross join lateral (select 1 from citizens.citizen c
            where c.id = i.id and ${conditions(question, 'c', values, null)} and ${inScope('c')} limit 1) fits
          limit ${values.add(question.limit, 'int')}`;
      }
      case 'units': {
        const place = [behind(question, 'c', values), ...ranges(filter, 'c', values, order.by)].join(' and ');
        const limit = values.add(question.limit, 'int');
        return `select w.* from ${unitsInScope} cross join lateral (
            select c.id${column === 'id' ? '' : `, c.${column}`} from citizens.citizen c
            where c.unit_no = u.no and ${place} and ${conditions(question, 'c', values, null)} and ${inScope('c')}
            order by ${orderBy(order, 'c')} limit ${limit}) w
          order by ${orderBy(order, 'w')} limit ${limit}`;
      }
    }
  };
  return { name: nameOf(question, 'dense'), text: inFull(question, page()), values: values.list };
}

/** The last place of the window that a dense walk of the whole table looked through; no row when the list ended inside it. */
export function windowEnd(question: ListQuestion): Statement {
  const values = new Values();
  const sort = sortOf(question.order);
  return {
    name: nameOf(question, 'window-end'),
    text: `${walkOf(question, values)} select w.id, ${sort === null ? 'null::text' : sort.text('w.place')} as sort
      from walk w where w.step = ${String(steps)} and w.id is not null`,
    values: values.list,
  };
}

/** How many candidates each access has, up to one beyond the limit. */
export function probe(question: ListQuestion, tried: readonly Access[]): Statement {
  const values = new Values();
  const counts = tried.map((access) => {
    const found = candidates(access, question, values);
    return `(select count(*)::int from (${found}) a) as "${access}"`;
  });
  return { name: `citizens.probe.${question.walk}.${tried.join('-')}`, text: `select ${counts.join(', ')}`, values: values.list };
}

/**
 * How many people a list holds: `found` among `looked` candidates or rows. With more than the limit looked at, `found` is a lower bound;
 * it is 0 where all of them count anyway and so none was opened.
 */
export function countStatement(question: ListQuestion, access: Access | null): Statement {
  const values = new Values();
  const limit = String(candidateLimit + 1);
  const name = `citizens.count.${access ?? 'all'}.${question.walk}`;
  if (access !== null) {
    const found = candidates(access, question, values);
    const unless = coveredBy(question, access) ? unlessTooMany : '';
    const fits = `${amongFound(unless)} and ${conditions(question, 'c', values, access)} and ${inScope('c')}`;
    return {
      name,
      text: `with found as materialized (${found}), n as (select count(*)::int as candidates from found)
        select n.candidates as looked, (select count(*)::int from citizens.citizen c where ${fits}) as found from n`,
      values: values.list,
    };
  }
  // Without an access nothing is asked but to live here or not to be merged, which holds for almost everybody met.
  const fits = conditions(question, 'c', values, null);
  const rows = (where: string): string =>
    `select 1 from citizens.citizen c where ${where}${fits} and ${inScope('c')} limit ${limit}`;
  const all =
    question.walk === 'whole'
      ? rows('')
      : `select 1 from ${unitsInScope} cross join lateral (${rows('c.unit_no = u.no and ')}) w limit ${limit}`;
  return {
    name,
    text: `select n.looked, n.looked as found from (select count(*)::int as looked from (${all}) w) n`,
    values: values.list,
  };
}
