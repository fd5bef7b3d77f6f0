import { citizenFields } from '#kernel/domain/citizen-field.ts';
import { candidateLimit, type CitizenFilter, type OrderBy } from './citizen-filter.ts';
import { inScope, unitsInScope, type Walk } from './citizen-reads.ts';
import { stateLetters } from './field-status.ts';
import { accesses, behind, orderBy, sortOf, Values, type Access, type ListQuestion, type Statement } from './list-question.ts';
import { inOrder, spread, wholeWords } from './name-keys.ts';

/*
 * How a list with filters or an order finds its page without looking at more than some 10,000 rows, behind the row policy, where only
 * leakproof conditions reach an index.
 *
 * `sparse`: a filter that has an index of its own collects candidates, at most 10,000, which are then checked against the other
 * filters and sorted; those of a name need not be opened for it, as the keys of names carry what nearly every list asks (`keyed`).
 * `dense`: the walk goes along the index of the order, which carries what every filter asks, and keeps what fits. A walk looks through a
 * window of 10,000 rows; where hits lie further apart, the page is short and its cursor goes on behind the window. Units are walked one
 * by one, each its part of the window, and merged.
 *
 * Every value is a parameter; what stands in the texts is chosen from literals of this file, so the number of texts is bounded.
 */

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
      case 'first':
        return filter.text?.kind === 'name' && filter.text.words.length > 1;
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

/** Whether the keys of names hold all that a filter asks, so that no citizen need be opened to know who is in the list. */
function keyed({ filter, basis }: ListQuestion, access: Access): boolean {
  return (
    (access === 'name' || access === 'first') && filter.fieldStatus === null && filter.updatedSince === null && basis === null
  );
}

/** People whom the keys of their names found, with their places in the orders and whether they fit as far as the keys can tell. */
function namesFound(access: NameAccess, question: ListQuestion, values: Values, most: number): string {
  const { filter } = question;
  const words = wordsOf(filter);
  const fits = [lived(filter, 'r'), ...born(filter, 'r', values)];
  const [one = '', other = ''] = words;
  // Of two words each is found by plain search, which costs a third.
  if (words.length === 2 && access === 'name')
    fits.push(`strpos(' ' || r.words_before || ' ', ${values.add(` ${one} `, 'text')}) > 0`);
  if (words.length === 2 && access === 'first') fits.push(`strpos(r.key, ${values.add(` ${other}`, 'text')}) > 0`);
  if (words.length > 2 && access === 'name')
    fits.push(`${spread('r.words_before')} like ${values.add(wholeWords(words.slice(0, -1)), 'text')}`);
  if (words.length > 2 && access === 'first') fits.push(`${spread('r.key')} like ${values.add(inOrder(words), 'text')}`);
  const columns = `r.citizen_id as id, r.name_sort, r.birth_sort, ${fits.join(' and ')} as fits`;
  return keysFound(access, question, values, most, columns);
}

/** Columns of the keys of names that one word finds, no more than one beyond `most`. */
function keysFound(access: NameAccess, { filter, walk }: ListQuestion, values: Values, most: number, columns: string): string {
  const words = wordsOf(filter);
  const first = words[0] ?? '';
  const last = words.at(-1) ?? '';
  // Keys hold letters, blanks and the signs ' . - only: all of them before "~", and all but the blank behind "!".
  const [from, to] = access === 'name' ? [last, `${last}~`] : [`${first} `, `${first}!`];
  const low = values.add(from, 'text');
  const high = values.add(to, 'text');
  const limit = String(most + 1);
  switch (walk) {
    case 'whole':
      return `select ${columns} from citizens.name_key r where r.key >= ${low} and r.key < ${high} and ${inScope('r')} limit ${limit}`;
    case 'units':
      // As a pair the range is one of the index of units: alone, the planner likes to walk the keys of all units for each of them.
      return `select w.* from ${unitsInScope} cross join lateral (
          select ${columns} from citizens.name_key r where (r.unit_no, r.key) >= (u.no, ${low}) and (r.unit_no, r.key) < (u.no, ${high})
            and ${inScope('r')} limit ${limit}) w limit ${limit}`;
  }
}

type NameAccess = 'name' | 'first';

function wordsOf({ text }: CitizenFilter): readonly string[] {
  return text?.kind === 'name' ? text.words : [];
}

/** Candidates by one index, `id` and whether they fit as far as it can tell, no more than one beyond `most`; a person may come twice. */
function candidates(access: Access, question: ListQuestion, values: Values, most: number): string {
  if (access === 'name' || access === 'first')
    return `select k.id, k.fits from (${namesFound(access, question, values, most)}) k`;
  return `select f.id, true as fits from (${idsFound(access, question, values, most)}) f`;
}

function idsFound(
  access: Exclude<Access, 'name' | 'first'>,
  { filter, walk, basis }: ListQuestion,
  values: Values,
  most: number,
): string {
  const limit = String(most + 1);
  const along = (conditions: string): string => {
    const rows = `select r.id from citizens.citizen r where`;
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
    case 'life':
      return along(`r.life_status = '${filter.lifeStatus ?? 'MERGED'}'`);
    case 'updated':
      return along(`r.updated_at >= ${values.add(filter.updatedSince, 'timestamptz')}`);
    case 'birth':
      return along(ranges(filter, 'r', values, 'dateOfBirth').join(' and '));
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

/** Conditions on life and birth: citizens and the keys of their names have the same columns. */
function lived({ lifeStatus }: CitizenFilter, alias: string): string {
  return lifeStatus === null ? `${alias}.life_status <> 'MERGED'` : `${alias}.life_status = '${lifeStatus}'`;
}

function born(filter: CitizenFilter, alias: string, values: Values): readonly string[] {
  const within = ranges(filter, alias, values, 'dateOfBirth');
  return filter.bornTo === null ? within : [...within, `${alias}.born_to <= ${values.add(filter.bornTo, 'date')}`];
}

/**
 * Every filter as a condition on one row of citizens.citizen, but for what the `access` that found it already ensures. None of it needs
 * an index: the rows are few by now.
 */
function conditions(question: ListQuestion, alias: string, values: Values, access: Access | null): string {
  const { filter, basis } = question;
  const { text, fieldStatus } = filter;
  const all = [lived(filter, alias), ...born(filter, alias, values), ...ranges(filter, alias, values, 'updatedAt')];
  if (fieldStatus !== null && access !== 'states')
    all.push(`substr(${alias}.states, ${String(positionOf(filter))}, 1) = '${letterOf(filter)}'`);
  // A name is looked for from the start of a word, sign by sign; who is found by a number was found by its index, save on a basis.
  if (text?.kind === 'name' && access !== 'name' && access !== 'first') {
    const [only = ''] = text.words;
    all.push(
      text.words.length === 1
        ? `strpos(' ' || ${alias}.name_folded, ' ' || ${values.add(only, 'text')}) > 0`
        : `${spread(`${alias}.name_folded`)} like ${values.add(inOrder(text.words), 'text')}`,
    );
  }
  if (text?.kind === 'number' && basis !== null) {
    const number = values.add(text.value, 'text');
    all.push(
      `exists (select from citizens.identifier i where i.citizen_id = ${alias}.id and i.value = ${number} and ${inScope('i')})`,
    );
  }
  return all.join(' and ');
}

/** The rows of a page in full, from their ids and places `p`. */
function inFull(question: ListQuestion, page: string, marks: readonly string[] = []): string {
  const { order, columns } = question;
  const sort = sortOf(order);
  const place = sort === null ? 'null::text' : sort.text(`p.${sort.column}`);
  return `select x.*, ${[`${place} as sort`, ...marks.map((mark) => `p.${mark}`)].join(', ')} from (${page}) p
    cross join lateral (select ${columns.columns} from citizens.citizen c where c.id = p.id and ${inScope('c')} limit 1) x
    order by ${[orderBy(order, 'p'), ...marks.map((mark) => `p.${mark} desc`).slice(0, 1)].join(', ')}`;
}

function nameOf(question: ListQuestion, how: string): string {
  const { order, walk, columns } = question;
  return `citizens.list.${how}.${walk}.${order.by}${order.descending ? '-desc' : ''}.${columns.name}`;
}

/** As an array the candidates are one scan of the index of ids; joined row by row they cost three times as much. */
function amongFound(unless: string): string {
  return `c.id = any (array(select distinct id from found where fits${unless}))`;
}

/** Too many candidates are as good as none: not one of them is opened. */
function unlessMore(most: number): string {
  return ` and (select candidates from n) <= ${String(most)}`;
}

/** How many candidates one access found. */
const counted = `n as (select count(*)::int as candidates from found)`;

/**
 * The page among the candidates of one access, each of which is opened. Each row carries `candidates`, how many there were; with more than
 * `most` there is one row, empty but for that. Without hits there is one row whose `id` is null.
 */
export function sparsePage(question: ListQuestion, access: Access, most: number): Statement {
  const values = new Values();
  const { order, limit } = question;
  const sort = sortOf(order);
  const found = candidates(access, question, values, most);
  const place = behind(question, 'c', values);
  const fits = conditions(question, 'c', values, access);
  const count = values.add(limit, 'int');
  const row = `${place} and ${fits} and ${inScope('c')}`;
  // By id the candidates are opened in their order, and only until the page is full; else all of them, in one walk along their ids.
  const page =
    sort === null
      ? `select i.id from (select distinct id from found where fits${unlessMore(most)} order by id${order.descending ? ' desc' : ''}) i
          cross join lateral (select 1 from citizens.citizen c where c.id = i.id and ${row} limit 1) fits
          order by ${orderBy(order, 'i')} limit ${count}`
      : `select c.id, c.${sort.column} from citizens.citizen c where ${amongFound(unlessMore(most))} and ${row}
          order by ${orderBy(order, 'c')} limit ${count}`;
  return {
    name: nameOf(question, `${access}-${String(most)}`),
    text: `with found as materialized (${found}), ${counted}
      select n.candidates, x.* from n left join (${inFull(question, page)}) x on true`,
    values: values.list,
  };
}

/**
 * The page by the keys of names, which know the place of everybody in an order by id, name or birth; rows as {@link sparsePage} gives
 * them. Where the keys do not hold all that is asked, the first `nearest` are opened until the page is full: `goesOn` says that there
 * were more of them, so that a page that is not full is not certain.
 */
export function keyedPage(question: ListQuestion, access: NameAccess): Statement {
  const values = new Values();
  const { order } = question;
  const sort = sortOf(order);
  const found = namesFound(access, question, values, candidateLimit);
  const sorted = orderBy(order, 'i');
  const columns = sort === null ? 'id' : `id, ${sort.column}`;
  const all = `select i.* from (select distinct ${columns} from found where fits${unlessMore(candidateLimit)}) i where ${behind(question, 'i', values)} order by ${sorted}`;
  const limit = values.add(question.limit, 'int');
  const certain = keyed(question, access);
  const page = certain
    ? `${all} limit ${limit}`
    : `select i.* from (${all} limit ${String(nearest)}) i
        cross join lateral (select 1 from citizens.citizen c where c.id = i.id and ${conditions(question, 'c', values, access)}
          and ${inScope('c')} limit 1) fits
        order by ${sorted} limit ${limit}`;
  return {
    name: nameOf(question, `keyed-${access}`),
    text: `with found as materialized (${found}), ${counted}
      select n.candidates, ${certain ? 'false' : `(select count(*) filter (where fits) from found) > ${String(nearest)}`} as "goesOn", x.*
      from n left join (${inFull(question, page)}) x on true`,
    values: values.list,
  };
}

const nearest = 400;

/** Rows of one step of a walk; few enough that walking the index always looks cheaper to the planner than sorting the table. */
const stepSize = 250;

/**
 * A walk of the whole table along the index of the order, step by step, as `walk(step, ids, places, id, place)`: the people of a step who
 * fit and their places in the order, and where the step ended. Made only as far as it is read, and no further than the window.
 */
function walkOf(question: ListQuestion, values: Values, steps: number): string {
  const { order, filter } = question;
  const column = sortOf(order)?.column ?? 'id';
  const sign = order.descending ? '<' : '>';
  const within = ranges(filter, 'c', values, order.by);
  const fits = conditions(question, 'c', values, null);
  const step = (number: string, place: string): string => `
    select ${number} as step, array_agg(r.id) filter (where r.fits) as ids, array_agg(r.place) filter (where r.fits) as places,
      (array_agg(r.id))[${String(stepSize)}] as id, (array_agg(r.place))[${String(stepSize)}] as place
    from (select c.id, c.${column} as place, ${fits} as fits from citizens.citizen c
      where ${[place, ...within].join(' and ')} and ${inScope('c')}
      order by ${orderBy(order, 'c')} limit ${String(stepSize)}) r`;
  const further = column === 'id' ? `c.id ${sign} walk.id` : `(c.${column}, c.id) ${sign} (walk.place, walk.id)`;
  return `with recursive walk as (${step('1', behind(question, 'c', values))}
    union all
    select s.* from walk cross join lateral (${step('walk.step + 1', further)}) s where walk.id is not null and walk.step < ${String(steps)})`;
}

/**
 * The page along the index of the order, within a window of so many rows. Of units, each is looked through up to its `share` of the
 * window. Where the list goes on behind the window, a row with `cut` stands at that place, and what comes after it is not certain; such
 * a row is no hit unless it has `fits` too.
 */
export function densePage(question: ListQuestion, window: number, share: number): Statement {
  const values = new Values();
  const { order, walk, filter } = question;
  const column = sortOf(order)?.column ?? 'id';
  const at = (alias: string): string => (column === 'id' ? '' : `, ${alias}.${column}`);
  const page = (): string => {
    switch (walk) {
      case 'whole': {
        // No sort in here: it would make the walk go to the end of its window before the first row is known.
        const steps = String(window / stepSize);
        const made = walkOf(question, values, window / stepSize);
        const place = (alias: string): string => (column === 'id' ? '' : `, ${alias}.place as ${column}`);
        return `${made}
          (select i.id${place('i')}, true as fits, false as cut from walk cross join lateral unnest(walk.ids, walk.places) as i(id, place))
          union all (select w.id${place('w')}, false, true from walk w where w.step = ${steps} and w.id is not null)
          limit ${values.add(question.limit, 'int')}`;
      }
      case 'units': {
        const within = [behind(question, 'c', values), ...ranges(filter, 'c', values, order.by)].join(' and ');
        const fits = conditions(question, 'c', values, null);
        const part = values.add(share, 'int');
        const limit = values.add(question.limit, 'int');
        return `select w.* from ${unitsInScope} cross join lateral (
            select r.id${at('r')}, r.fits, r.n = ${part} as cut from (
              select c.id${at('c')}, ${fits} as fits, row_number() over (order by ${orderBy(order, 'c')}) as n from citizens.citizen c
              where c.unit_no = u.no and ${within} and ${inScope('c')}
              order by ${orderBy(order, 'c')} limit ${part}) r
            where r.fits or r.n = ${part} order by ${orderBy(order, 'r')} limit ${limit}) w
          order by ${orderBy(order, 'w')} limit ${limit}`;
      }
    }
  };
  return {
    name: nameOf(question, `dense-${String(window)}`),
    text: inFull(question, page(), ['fits', 'cut']),
    values: values.list,
  };
}

/** How many candidates each access has, up to one beyond `most`. */
export function probe(question: ListQuestion, tried: readonly Access[], most: number): Statement {
  const values = new Values();
  const counts = tried.map((access) => {
    const found = candidates(access, question, values, most);
    return `(select count(*)::int from (${found}) a) as "${access}"`;
  });
  return {
    name: `citizens.probe-${String(most)}.${question.walk}.${tried.join('-')}`,
    text: `select ${counts.join(', ')}`,
    values: values.list,
  };
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
    const found = candidates(access, question, values, candidateLimit);
    const unless = coveredBy(question, access) ? unlessMore(candidateLimit) : '';
    const opened = (): string =>
      `citizens.citizen c where ${amongFound(unless)} and ${conditions(question, 'c', values, access)} and ${inScope('c')}`;
    const hits = keyed(question, access) ? `(select distinct id from found where fits${unless}) c` : opened();
    return {
      name: `${name}${keyed(question, access) ? '.keyed' : ''}`,
      text: `with found as materialized (${found}), ${counted}
        select n.candidates as looked, (select count(*)::int from ${hits}) as found from n`,
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
