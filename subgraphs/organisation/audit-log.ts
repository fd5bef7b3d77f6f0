import type { RowScope } from '#kernel/auth/policy.ts';
import type { ReadDoor } from '#kernel/db/read-door.ts';
import { isUuid } from '#kernel/domain/ids.ts';
import { countLimit, cursorBinding, decodeCursor, parseFirst } from '#kernel/page.ts';
import { instantArgument, isGiven } from '#kernel/records/arguments.ts';
import { countFrom, type Count } from '#kernel/records/record-page.ts';
import type { PageArguments } from '#kernel/records/records.ts';
import { emptyPage, LatestPage, type KeysetRow } from './pages.ts';

/*
 * The audit, read under the auditor's role: the latest events first.
 *
 * A page looks at no more than 10,000 events: those of the person or principal asked for by their index, else along the time. A
 * page that was not filled by then says how far it came.
 */

export interface AuditFilter {
  readonly person?: string | null;
  readonly principal?: string | null;
  readonly unit?: string | null;
  readonly action?: string | null;
  readonly from?: unknown;
  readonly to?: unknown;
}

export interface AuditEvent extends KeysetRow {
  readonly at: string;
  readonly principal: string;
  readonly principalName: string;
  readonly purpose: string;
  readonly basis: string | null;
  readonly action: string;
  readonly subgraph: string;
  readonly subjects: readonly string[];
  readonly fields: readonly string[];
  readonly operation: string;
  readonly traceId: string;
}

type EventRow = Omit<AuditEvent, 'key'> & { readonly key: string };

/** What the filter means, resolved: which principals a name stands for, which numbers a unit covers. */
export interface AuditQuestion {
  readonly filter: AuditFilter;
  /** `null`: any. */
  readonly principals: readonly string[] | null;
  /** int4multirange text of units of the principals; `null`: any. */
  readonly units: string | null;
}

const lookedAt = 10_000;
const micro = `'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'`;
const columns = `e.id::text as id, e.at, to_char(e.at at time zone 'UTC', ${micro}) as key, e.principal, e.principal_name as "principalName",
  e.purpose, e.basis, e.action, e.subgraph, e.subjects::text[] as subjects, e.fields, e.operation, e.trace_id as "traceId"`;

export class AuditLog {
  readonly #door: ReadDoor;

  constructor(door: ReadDoor) {
    this.#door = door;
  }

  async page(scope: RowScope, question: AuditQuestion, page: PageArguments): Promise<LatestPage<AuditEvent>> {
    const first = parseFirst(page.first);
    const after = page.after ?? null;
    const binding = cursorBinding('auditEvents', question.filter, 'LATEST');
    const [afterAt, afterId] = after === null ? [null, null] : decodeCursor(binding, after, 2).map(String);
    if (isGiven(question.filter.person) && !isUuid(question.filter.person)) return emptyPage(binding);
    const search = new Search(question);
    const limit = search.value(first + 1, 'int');
    const behind =
      typeof afterAt === 'string' && typeof afterId === 'string'
        ? search.behind(search.value(afterAt, 'timestamptz'), search.value(afterId, 'uuid'))
        : 'true';
    const text = `with walk as materialized (${search.walk(behind, lookedAt)}),
        page as (select w.at, w.id from walk w where w.hit order by w.at desc, w.id desc limit ${limit}),
        stop as (select to_char(w.at at time zone 'UTC', ${micro}) as at, w.id::text as id from walk w
          where (select count(*) from walk) >= ${String(lookedAt)} order by w.at, w.id limit 1)
      select s.at as "seenAt", s.id as "seenId", x.* from (select) one left join stop s on true left join (
        select ${columns} from page p join hub.audit_event e on e.at = p.at and e.id = p.id) x on true
      order by x.key desc, x.id desc`;
    const rows = await this.#door.rows<EventRow & { seenAt: string | null; seenId: string | null }>(
      'audit.page',
      text,
      scope,
      search.values,
    );
    const found = rows.filter(({ id }) => typeof id === 'string').map(({ key, ...row }) => ({ ...row, key: [key, row.id] }));
    const [stop] = rows;
    const seenTo = stop === undefined || stop.seenAt === null || stop.seenId === null ? null : [stop.seenAt, stop.seenId];
    return new LatestPage(found, { first, continued: after !== null, binding, seenTo }, () => this.#count(scope, question));
  }

  async #count(scope: RowScope, question: AuditQuestion): Promise<Count> {
    const search = new Search(question);
    const text = `select count(*) filter (where w.hit)::int as count, count(*)::int as looked
      from (${search.walk('true', countLimit + 1)}) w`;
    const [row] = await this.#door.rows<{ count: number; looked: number }>('audit.count', text, scope, search.values);
    return countFrom(row?.count ?? 0, (row?.looked ?? 0) > countLimit);
  }
}

/** One statement under way; its values are numbered from `$2`. */
class Search {
  readonly values: unknown[] = [];
  readonly #walked: string[] = [];
  readonly #looked: string[] = ['coalesce(e.unit_no <@ $1::int4multirange, false)'];

  constructor({ filter, principals, units }: AuditQuestion) {
    const from = instantArgument(filter.from, 'from');
    const to = instantArgument(filter.to, 'to');
    if (from !== null) this.#walked.push(`e.at >= ${this.value(from.toISOString(), 'timestamptz')}`);
    if (to !== null) this.#walked.push(`e.at < ${this.value(to.toISOString(), 'timestamptz')}`);
    if (isGiven(filter.person)) this.#walked.push(`e.subjects @> array[${this.value(filter.person, 'uuid')}]`);
    if (principals !== null) this.#walked.push(`e.principal = any(${this.value(principals, 'text[]')})`);
    if (units !== null) this.#looked.push(`coalesce(e.unit_no <@ ${this.value(units, 'int4multirange')}, false)`);
    if (isGiven(filter.action)) this.#looked.push(`e.action = ${this.value(filter.action, 'text')}`);
  }

  value(value: unknown, type: string): string {
    this.values.push(value);
    return `$${String(this.values.length + 1)}::${type}`;
  }

  /** `at <= …` beside the comparison of both: only that leaves out later partitions. */
  behind(at: string, id: string): string {
    return `e.at <= ${at} and (e.at, e.id) < (${at}, ${id})`;
  }

  walk(behind: string, limit: number): string {
    return `select e.at, e.id, ${this.#looked.join(' and ')} as hit from hub.audit_event e
      where ${[...this.#walked, behind].join(' and ')} order by e.at desc, e.id desc limit ${String(limit)}`;
  }
}
