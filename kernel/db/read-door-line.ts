import { HubError } from '../errors/hub-error.ts';
import type { Batch, BatchEnd, Execution, ReadConnection, Statement } from './read-door-connection.ts';

/** What one caller asks for. Jobs that agree in `scope`, `statement` and `shared` run as one execution. */
export interface Job {
  /** Everything beside the statement that decides rows: unit numbers and the citizen of a legal basis. */
  readonly scope: ScopeKey;
  readonly statement: Statement;
  /** What must be equal to share an execution (limit of a page); `null`: never shared. */
  readonly shared: string | null;
  /** What this job adds to the union: its keys, its cursor. */
  readonly asks: readonly string[];
  /** Values of the statement for the union of all that is asked. */
  values(union: readonly string[]): readonly (string | null)[];
  /** Rows by what was asked for, of the whole union; the job takes out its own. */
  settle(rows: ReadonlyMap<string, readonly unknown[]>, union: readonly string[]): void;
  fail(error: HubError): void;
}

export interface ScopeKey {
  readonly units: string;
  /** `units` and the citizen of a basis as one text: only what is equal here meets in one batch. */
  readonly text: string;
}

export interface LineLimits {
  /** Jobs in one batch. */
  readonly batch: number;
  /** Batches in one write, each of another scope and its own transaction. */
  readonly batches: number;
  /** Jobs that may wait; one more is refused at once. */
  readonly waiting: number;
  /** Milliseconds a job may wait for a free connection. */
  readonly patience: number;
}

/** What the line reports; counted by the door's metrics. */
export interface LineEvents {
  batch(jobs: number, executions: number, milliseconds: number): void;
  retried(why: 'lost' | 'batch-failed' | 'plan-changed'): void;
  refused(why: 'full' | 'waited' | 'lost' | 'too-slow' | 'busy' | 'failed'): void;
}

interface Waiting {
  readonly job: Job;
  readonly deadline: number;
  /** Runs in a batch of its own, since it stood in one that failed. */
  alone: boolean;
  /** Retried once after a lost connection or a changed plan; not again. */
  retried: boolean;
}

/**
 * The waiting line before a few connections. What waits when a connection is free goes as one batch, the scope that has waited
 * longest first; nobody waits for company. Every job ends: with rows, or refused, after `patience` in the line at the latest.
 *
 * A job may run twice (a lost connection, a batch in which another failed), never a third time; jobs only read.
 */
export class ReadLine {
  readonly #connections: readonly ReadConnection[];
  readonly #limits: LineLimits;
  readonly #events: LineEvents;
  /** By scope, in the order in which scopes came; within a scope in the order of jobs. */
  readonly #groups = new Map<string, Waiting[]>();
  #alone: Waiting[] = [];
  #waiting = 0;
  #flushing = false;
  #closed = false;
  #sweep: NodeJS.Timeout | null = null;

  constructor(connect: (onFree: () => void) => readonly ReadConnection[], limits: LineLimits, events: LineEvents) {
    this.#limits = limits;
    this.#events = events;
    this.#connections = connect(() => this.#soon());
  }

  get waiting(): number {
    return this.#waiting;
  }

  get connections(): readonly ReadConnection[] {
    return this.#connections;
  }

  add(job: Job): void {
    if (this.#closed || this.#waiting >= this.#limits.waiting) {
      this.#events.refused('full');
      job.fail(new HubError('DEGRADED', 'DATABASE_BUSY', { retryAfter: 1 }));
      return;
    }
    this.#enqueue({ job, deadline: performance.now() + this.#limits.patience, alone: false, retried: false });
    this.#soon();
  }

  #enqueue(entry: Waiting): void {
    this.#waiting += 1;
    if (entry.alone) {
      this.#alone.push(entry);
    } else {
      const group = this.#groups.get(entry.job.scope.text);
      if (group === undefined) this.#groups.set(entry.job.scope.text, [entry]);
      else group.push(entry);
    }
    this.#sweep ??= setTimeout(() => this.#refuseLate(), Math.min(100, this.#limits.patience));
  }

  /** Once per turn of the event loop, so that all that is asked in this turn stands in the line before it is emptied. */
  #soon(): void {
    if (this.#flushing || this.#waiting === 0) return;
    this.#flushing = true;
    setImmediate(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    const free = this.#connections.filter((connection) => connection.free);
    for (const [nth, connection] of free.entries()) {
      // Scopes that wait are dealt out evenly over the connections that are free.
      const groups = this.#alone.length + this.#groups.size;
      const share = Math.min(this.#limits.batches, Math.ceil(groups / (free.length - nth)));
      const taken: Batch[] = [];
      while (taken.length < share && this.#waiting > 0) taken.push(this.#batch(this.#take()));
      if (taken.length > 0) connection.run(taken);
    }
    // Connections that were never needed are made when they are missed, one for each job at most.
    let missed = this.#waiting;
    for (const connection of this.#connections) {
      if (missed > 0 && !connection.connected) {
        connection.open();
        missed -= 1;
      }
    }
  }

  #take(): readonly Waiting[] {
    const alone = this.#alone.shift();
    if (alone !== undefined) {
      this.#waiting -= 1;
      return [alone];
    }
    for (const [scope, group] of this.#groups) {
      const taken = group.splice(0, this.#limits.batch);
      this.#groups.delete(scope);
      if (group.length > 0) this.#groups.set(scope, group); // behind the other scopes
      this.#waiting -= taken.length;
      return taken;
    }
    return [];
  }

  #batch(entries: readonly Waiting[]): Batch {
    const started = performance.now();
    const shares = share(entries);
    return {
      units: entries[0]?.job.scope.units ?? '{}',
      executions: shares,
      end: (how) => {
        this.#events.batch(entries.length, shares.length, performance.now() - started);
        if (how.kind === 'done') return;
        const open = shares.filter((execution) => !execution.settled).flatMap((execution) => execution.entries);
        for (const entry of open) this.#tryAgain(entry, how, entries.length === 1);
        this.#soon();
      },
    };
  }

  #tryAgain(entry: Waiting, how: Exclude<BatchEnd, { kind: 'done' }>, wasAlone: boolean): void {
    if (this.#closed) {
      entry.job.fail(new HubError('DEGRADED', 'DATABASE_AWAY', { retryAfter: 1, cause: how.error }));
      return;
    }
    const tooSlow = isTooSlow(how.error);
    if (how.kind === 'lost' && !(tooSlow && wasAlone)) {
      if (entry.retried) {
        this.#events.refused('lost');
        entry.job.fail(new HubError('DEGRADED', 'DATABASE_AWAY', { retryAfter: 1, cause: how.error }));
        return;
      }
      this.#events.retried('lost');
      this.#enqueue({ ...entry, retried: true, alone: tooSlow });
      return;
    }
    if (!wasAlone) {
      this.#events.retried('batch-failed');
      this.#enqueue({ ...entry, alone: true });
      return;
    }
    if (!entry.retried && planChanged(how.error)) {
      this.#events.retried('plan-changed');
      this.#enqueue({ ...entry, alone: true, retried: true });
      return;
    }
    entry.job.fail(this.#refusal(how.error));
  }

  #refusal(error: Error & { readonly code?: string }): HubError {
    if (isTooSlow(error)) {
      this.#events.refused('too-slow');
      return new HubError('LIMIT', 'READ_TOO_SLOW', { cause: error });
    }
    // lock_timeout, too many connections, out of memory, shutting down
    if (error.code === '55P03' || /^(53|57|40)/.test(error.code ?? '')) {
      this.#events.refused('busy');
      return new HubError('DEGRADED', 'DATABASE_BUSY', { retryAfter: 1, cause: error });
    }
    this.#events.refused('failed');
    return new HubError('INTERNAL', 'INTERNAL', { cause: error });
  }

  #refuseLate(): void {
    this.#sweep = null;
    const now = performance.now();
    this.#alone = this.#alone.filter((entry) => !this.#late(entry, now));
    for (const [scope, group] of this.#groups) {
      const left = group.filter((entry) => !this.#late(entry, now));
      if (left.length === group.length) continue;
      if (left.length === 0) this.#groups.delete(scope);
      else this.#groups.set(scope, left);
    }
    if (this.#waiting > 0) this.#sweep = setTimeout(() => this.#refuseLate(), Math.min(100, this.#limits.patience));
  }

  #late(entry: Waiting, now: number): boolean {
    if (entry.deadline > now && !this.#closed) return false;
    this.#waiting -= 1;
    this.#events.refused('waited');
    const away = this.#connections.every((connection) => !connection.connected);
    entry.job.fail(new HubError('DEGRADED', away ? 'DATABASE_AWAY' : 'DATABASE_BUSY', { retryAfter: 1 }));
    return true;
  }

  /** Refuses what waits, ends what runs. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#refuseLate();
    if (this.#sweep !== null) clearTimeout(this.#sweep);
    await Promise.all(this.#connections.map((connection) => connection.close()));
  }
}

function isTooSlow(error: Error & { readonly code?: string }): boolean {
  return error.code === '25P04' || (error.code === '57014' && error.message.includes('statement timeout'));
}

/** A migration changed a table under a prepared statement, or the statement is unknown to a pooled server. */
function planChanged(error: Error & { readonly code?: string }): boolean {
  return error.code === '26000' || (error.code === '0A000' && error.message.includes('cached plan'));
}

/** Jobs that may share an execution, as executions; in the order in which they came. */
function share(entries: readonly Waiting[]): readonly Share[] {
  const shares: Share[] = [];
  const open = new Map<Statement, Share[]>();
  for (const entry of entries) {
    const { statement, shared } = entry.job;
    const same = open.get(statement);
    const found = shared === null ? undefined : same?.find((candidate) => candidate.shared === shared);
    if (found !== undefined) {
      found.entries.push(entry);
      continue;
    }
    const made = new Share(entry);
    shares.push(made);
    if (same === undefined) open.set(statement, [made]);
    else same.push(made);
  }
  return shares;
}

class Share implements Execution {
  readonly entries: Waiting[];
  readonly #rows = new Map<string, unknown[]>();
  #union: readonly string[] | null = null;
  settled = false;

  constructor(first: Waiting) {
    this.entries = [first];
  }

  get #first(): Job {
    const first = this.entries[0];
    if (first === undefined) throw new Error('an execution without a job');
    return first.job;
  }

  get statement(): Statement {
    return this.#first.statement;
  }

  get shared(): string | null {
    return this.#first.shared;
  }

  #asked(): readonly string[] {
    if (this.#union === null) {
      const all = this.entries.length === 1 ? this.#first.asks : this.entries.flatMap((entry) => entry.job.asks);
      this.#union = [...new Set(all)];
    }
    return this.#union;
  }

  get values(): readonly (string | null)[] {
    return this.#first.values(this.#asked());
  }

  row(key: string, row: Readonly<Record<string, unknown>>): void {
    const rows = this.#rows.get(key);
    if (rows === undefined) this.#rows.set(key, [row]);
    else rows.push(row);
  }

  done(): void {
    this.settled = true;
    const union = this.#asked();
    for (const entry of this.entries) entry.job.settle(this.#rows, union);
  }
}
