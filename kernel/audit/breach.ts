import type { Query } from './sealed-rows.ts';

/*
 * Whose data one principal saw in a window of time, from the audit alone.
 *
 * Events of the principal come by their index; a slice of some hundred thousand events at a time is folded into one row per person and shape of
 * question (which fields, which act) in a temporary table, so that memory stays flat and the work can be watched and stopped. The
 * connection is the caller's and is used for nothing else meanwhile.
 */

export interface BreachQuestion {
  /** Id as the audit has it. */
  readonly principal: string;
  readonly from: Date;
  readonly to: Date;
}

export interface Seen {
  readonly subject: string;
  /** In how many answers. */
  readonly times: number;
  readonly first: string;
  readonly last: string;
  /** Coordinates of the graph: `Citizen.phone`. */
  readonly fields: readonly string[];
  readonly actions: readonly string[];
}

export interface BreachReport {
  readonly events: number;
  /** Persons and records, each once, by id; pages of a thousand. */
  readonly pages: () => AsyncGenerator<readonly Seen[]>;
}

export interface BreachOptions {
  readonly query: Query;
  readonly progress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

const eventsAtOnce = 200_000;
const pageRows = 1_000;
const lowestId = '00000000-0000-0000-0000-000000000000';
/** Units and the like, whose ids are made from a number: nobody's data. */
const noPerson = `subject::text not like '00000000-0000-8000-8000-%'`;
/** Nothing was shown. */
const shownNothing = `('basis.refused')`;
const asked = `e.principal = $1 and e.at >= $2::timestamptz and e.at < $3::timestamptz and e.action not in ${shownNothing}`;

export async function breachReport(
  { principal, from, to }: BreachQuestion,
  { query, progress, signal }: BreachOptions,
): Promise<BreachReport> {
  const window = [principal, from.toISOString(), to.toISOString()];
  await query('drop table if exists pg_temp.breach_shape, pg_temp.breach_seen');
  await query(
    `create temporary table breach_shape (no int generated always as identity, action text, fields text[], primary key (action, fields))`,
  );
  await query('create temporary table breach_seen (subject uuid, shape int, times int, first timestamptz, last timestamptz)');
  const [count] = await query<{ events: number }>(`select count(*)::int as events from hub.audit_event e where ${asked}`, window);
  const total = count?.events ?? 0;
  const bounds = await query<{ at: string }>(
    `select at::text as at from (select e.at, row_number() over (order by e.at) as n from hub.audit_event e where ${asked}) x
     where n % ${String(eventsAtOnce)} = 0 order by at`,
    window,
  );
  const starts = [window[1], ...bounds.map(({ at }) => at)];
  for (const [index, start] of starts.entries()) {
    signal?.throwIfAborted();
    const slice = [principal, start, starts[index + 1] ?? window[2]];
    await query(
      `insert into breach_shape (action, fields) select distinct e.action, e.fields from hub.audit_event e where ${asked} on conflict do nothing`,
      slice,
    );
    await query(
      `insert into breach_seen (subject, shape, times, first, last)
       select subject, s.no, count(*), min(e.at), max(e.at)
       from hub.audit_event e join breach_shape s on s.action = e.action and s.fields = e.fields, unnest(e.subjects) subject
       where ${asked} and ${noPerson} group by subject, s.no`,
      slice,
    );
    progress?.(Math.min((index + 1) * eventsAtOnce, total), total);
  }
  return { events: total, pages: () => pagesOf(query, signal) };
}

interface Folded {
  readonly subject: string;
  readonly times: number;
  readonly first: string;
  readonly last: string;
  readonly shapes: readonly number[];
}

async function* pagesOf(query: Query, signal: AbortSignal | undefined): AsyncGenerator<readonly Seen[]> {
  const shapes = new Map(
    (await query<{ no: number; action: string; fields: readonly string[] }>('select no, action, fields from breach_shape')).map(
      ({ no, ...shape }) => [no, shape],
    ),
  );
  const unions = new Map<string, { readonly fields: readonly string[]; readonly actions: readonly string[] }>();
  // Neither sorted nor made distinct by PostgreSQL: either would sort everybody who was seen on the disk.
  const union = (shapesOfOne: readonly number[]) => {
    const numbers = [...new Set(shapesOfOne)].sort((one, other) => one - other);
    const key = numbers.join(',');
    const known = unions.get(key);
    if (known !== undefined) return known;
    const found = numbers.flatMap((number) => shapes.get(number) ?? []);
    const made = {
      fields: [...new Set(found.flatMap(({ fields }) => fields))].sort(),
      actions: [...new Set(found.map(({ action }) => action))].sort(),
    };
    unions.set(key, made);
    return made;
  };
  // One pass over what was folded; the pages are then walked by their key.
  await query('drop table if exists pg_temp.breach_person');
  await query(
    `create temporary table breach_person as select subject, sum(times)::int as times, min(first) as first, max(last) as last,
       array_agg(shape) as shapes from breach_seen group by subject`,
  );
  await query('create index on breach_person (subject)');
  await query('analyze breach_person');
  for (let after = lowestId; ;) {
    signal?.throwIfAborted();
    const page: readonly Folded[] = await query<Folded>(
      `select p.subject::text as subject, times, to_char(first at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as first,
         to_char(last at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as last, shapes
       from breach_person p where p.subject > $1::uuid order by p.subject limit ${String(pageRows)}`,
      [after],
    );
    if (page.length > 0) yield page.map(({ shapes: numbers, ...seen }) => ({ ...seen, ...union(numbers) }));
    if (page.length < pageRows) return;
    after = page.at(-1)?.subject ?? after;
  }
}
