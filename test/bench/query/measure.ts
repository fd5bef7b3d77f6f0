import type { BenchData, Sequence } from './data.ts';
import { cpuOf, memoryOf, type Generator } from './processes.ts';
import type { Program } from './programs.ts';
import { bodyOf, goodBeginning } from './queries.ts';

export interface Plan {
  readonly query: 'Q1' | 'Q2';
  readonly clients: number;
  readonly milliseconds: number;
}

export interface Measured {
  readonly rps: number;
  readonly p50: number;
  readonly p99: number;
  /** Microseconds per request: all processes of the program; PostgreSQL with all its backends. */
  readonly nodeCpu: number;
  readonly postgresCpu: number;
  /** MiB, at the end of the load. */
  readonly memory: number;
}

/** One program under one load; throws when an answer was not a good one. */
export async function measure(
  generator: Generator,
  program: Program,
  plan: Plan,
  sequence: Sequence,
  offset: number,
  data: BenchData,
): Promise<Measured> {
  const values = plan.query === 'Q1' ? sequence.numbers : cursorsOf(program, sequence);
  const cpu = (): { node: number; postgres: number } => ({
    node: program.pids.reduce((sum, pid) => sum + cpuOf(pid, data.postgresPid()), 0),
    postgres: cpuOf(data.postgresPid()),
  });
  const before = cpu();
  const result = await generator.run({
    host: program.url.hostname,
    port: Number(program.url.port),
    path: program.url.pathname,
    headers: program.headers,
    ...bodyOf(plan.query, program.spelling),
    values,
    offset,
    good: goodBeginning[plan.query],
    clients: plan.clients,
    milliseconds: plan.milliseconds,
  });
  const after = cpu();
  if (result.bad > 0 || result.requests === 0) {
    throw new Error(
      `${program.name} ${plan.query}: ${result.bad} of ${result.requests} answers were bad: ${result.firstBad ?? ''}`,
    );
  }
  return {
    rps: result.requests / result.seconds,
    p50: result.p50,
    p99: result.p99,
    nodeCpu: ((after.node - before.node) * 1e6) / result.requests,
    postgresCpu: ((after.postgres - before.postgres) * 1e6) / result.requests,
    memory: program.pids.reduce((sum, pid) => sum + memoryOf(pid), 0),
  };
}

const cursorLists = new WeakMap<Sequence, Map<string, readonly string[]>>();

function cursorsOf(program: Program, sequence: Sequence): readonly string[] {
  const lists = cursorLists.get(sequence) ?? new Map<string, readonly string[]>();
  cursorLists.set(sequence, lists);
  // A hub that is started again writes its cursors as before.
  const list = lists.get(program.name) ?? sequence.cursors.map((id) => program.cursor(id));
  lists.set(program.name, list);
  return list;
}

/** All rounds of all programs. */
export class Measurement {
  readonly #rounds = new Map<string, Measured[]>();
  readonly #notes = new Map<string, number>();

  add(program: string, load: string, measured: Measured): void {
    const key = `${program} ${load}`;
    this.#rounds.set(key, [...(this.#rounds.get(key) ?? []), measured]);
  }

  note(name: string, value: number): void {
    this.#notes.set(name, value);
  }

  noted(name: string): number | null {
    return this.#notes.get(name) ?? null;
  }

  get programs(): readonly string[] {
    return [...new Set([...this.#rounds.keys()].map((key) => key.split(' ')[0] ?? ''))];
  }

  of(program: string, load: string): readonly Measured[] {
    return this.#rounds.get(`${program} ${load}`) ?? [];
  }

  /** `null` where nothing was measured. */
  median(program: string, load: string, of: keyof Measured): number | null {
    const values = this.of(program, load)
      .map((one) => one[of])
      .sort((a, b) => a - b);
    if (values.length === 0) return null;
    const middle = Math.floor(values.length / 2);
    const [low = 0, high = 0] = [values[middle - 1], values[middle]];
    return values.length % 2 === 1 ? high : (low + high) / 2;
  }

  ratio(program: string, to: string, load: string, of: keyof Measured = 'rps'): number | null {
    const [one, other] = [this.median(program, load, of), this.median(to, load, of)];
    return one === null || other === null || other === 0 ? null : one / other;
  }
}
