import type { RowScope } from '#kernel/auth/policy.ts';
import type { ReadDoor } from '#kernel/db/read-door.ts';
import { isUuid } from '#kernel/domain/ids.ts';
import { refusal } from '#kernel/errors/hub-error.ts';
import { countLimit, decodeCursor, parseFirst, type CursorKey } from '#kernel/page.ts';
import { instantArgument, isGiven } from '#kernel/records/arguments.ts';
import { countFrom, type Count } from '#kernel/records/record-page.ts';
import { LatestPage, type KeysetRow, type BoundPage } from './pages.ts';

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

/** What the filter means, resolved: whom a name stands for, which numbers a unit covers. */
export interface AuditQuestion {
  readonly filter: AuditFilter;
  /** Id as the audit has it; `null`: any. */
  readonly principal: string | null;
  /** int4multirange text of units of the principals; `null`: any. */
  readonly units: string | null;
}

const lookedAt = 10_000;
/** Most pages are full after the first step. */
const steps = [600, lookedAt - 600] as const;
const micro = `'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'`;
const columns = `e.id::text as id, e.at, to_char(e.at at time zone 'UTC', ${micro}) as key, e.principal, e.principal_name as "principalName",
  e.purpose, e.basis, e.action, e.subgraph, e.subjects::text[] as subjects, e.fields, e.operation, e.trace_id as "traceId"`;

export class AuditLog {
  readonly #door: ReadDoor;

  constructor(door: ReadDoor) {
    this.#door = door;
  }

  async page(scope: RowScope, question: AuditQuestion, page: BoundPage): Promise<LatestPage<AuditEvent>> {
    const first = parseFirst(page.first);
    const after = page.after ?? null;
    const binding = page.cursors('auditEvents', question.filter, 'LATEST');
    let behind: Place | null = after === null ? null : placeOf(decodeCursor(binding, after, 2));
    const found: AuditEvent[] = [];
    for (const step of page.countsOnly === true ? [] : steps) {
      const { events, seenTo }: Walked = await this.#walk(scope, question, behind, first + 1 - found.length, step);
      found.push(...events);
      behind = seenTo;
      if (seenTo === null || found.length > first) break;
    }
    const place = { first, continued: after !== null, binding, seenTo: behind === null ? null : [behind.at, behind.id] };
    return new LatestPage(found, place, () => this.#count(scope, question), page.counted);
  }

  async #walk(scope: RowScope, question: AuditQuestion, behind: Place | null, limit: number, step: number): Promise<Walked> {
    const search = new Search(question);
    const many = search.value(limit, 'int');
    const walk = search.walk(step, behind);
    const text = `with walk as materialized (${walk}),
        page as (select w.at, w.id from walk w where w.hit order by w.at desc, w.id desc limit ${many}),
        stop as (select to_char(w.at at time zone 'UTC', ${micro}) as at, w.id::text as id from walk w
          where (select count(*) from walk) >= ${String(step)} order by w.at, w.id limit 1)
      select s.at as "seenAt", s.id as "seenId", x.* from (select) one left join stop s on true left join (
        select ${columns} from page p join hub.audit_event e on e.at = p.at and e.id = p.id) x on true
      order by x.key desc, x.id desc`;
    const rows = await this.#door.rows<EventRow & { seenAt: string | null; seenId: string | null }>(
      'audit.page',
      text,
      scope,
      search.values,
    );
    const [stop] = rows;
    const [at, id] = [stop?.seenAt, stop?.seenId];
    return {
      events: rows.filter(({ id }) => typeof id === 'string').map(({ key, ...row }) => ({ ...row, key: [key, row.id] })),
      seenTo: typeof at === 'string' && typeof id === 'string' ? { at, id } : null,
    };
  }

  async #count(scope: RowScope, question: AuditQuestion): Promise<Count> {
    const search = new Search(question);
    const text = `select count(*) filter (where w.hit)::int as count, count(*)::int as looked
      from (${search.walk(countLimit + 1, null)}) w`;
    const [row] = await this.#door.rows<{ count: number; looked: number }>('audit.count', text, scope, search.values);
    return countFrom(row?.count ?? 0, (row?.looked ?? 0) > countLimit);
  }
}

/** One statement under way; its values are numbered from `$2`. */
class Search {
  readonly values: unknown[] = [];
  readonly #walked: string[] = [];
  readonly #looked: string[] = ['coalesce(e.unit_no <@ $1::int4multirange, false)'];
  readonly #order: readonly string[];

  constructor({ filter, principal, units }: AuditQuestion) {
    const from = instantArgument(filter.from, 'from');
    const to = instantArgument(filter.to, 'to');
    if (from !== null) this.#walked.push(`e.at >= ${this.value(from.toISOString(), 'timestamptz')}`);
    if (to !== null) this.#walked.push(`e.at < ${this.value(to.toISOString(), 'timestamptz')}`);
    if (isGiven(filter.person)) this.#walked.push(`e.subjects @> array[${this.value(filter.person, 'uuid')}]`);
    if (principal !== null) {
      // As a range, so that the planner keeps him in the order and takes the index that begins with him.
      const id = this.value(principal, 'text');
      this.#walked.push(`e.principal >= ${id} and e.principal <= ${id}`);
    }
    if (units !== null) this.#looked.push(`coalesce(e.unit_no <@ ${this.value(units, 'int4multirange')}, false)`);
    if (isGiven(filter.action)) this.#looked.push(`e.action = ${this.value(filter.action, 'text')}`);
    this.#order = [...(principal === null ? [] : ['e.principal']), 'e.at', 'e.id'].map((column) => `${column} desc`);
  }

  value(value: unknown, type: string): string {
    this.values.push(value);
    return `$${String(this.values.length + 1)}::${type}`;
  }

  /** The latest events behind a place; `e.at <= …` beside the comparison of both leaves out later partitions. */
  walk(limit: number, behind: Place | null): string {
    const conditions = [...this.#walked];
    if (behind !== null) {
      const [at, id] = [this.value(behind.at, 'timestamptz'), this.value(behind.id, 'uuid')];
      conditions.push(`e.at <= ${at} and (e.at, e.id) < (${at}, ${id})`);
    }
    return `select e.at, e.id, ${this.#looked.join(' and ')} as hit from hub.audit_event e
      ${conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`} order by ${this.#order.join(', ')} limit ${String(limit)}`;
  }
}

/** Where a walk stands: time to the microsecond, and id. */
interface Place {
  readonly at: string;
  readonly id: string;
}

interface Walked {
  readonly events: readonly AuditEvent[];
  readonly seenTo: Place | null;
}

function placeOf([at, id]: readonly CursorKey[]): Place {
  const known = typeof at === 'string' && typeof id === 'string' && isUuid(id) && !Number.isNaN(Date.parse(at));
  if (!known) throw refusal('CURSOR_INVALID', { field: 'after' });
  return { at, id };
}
