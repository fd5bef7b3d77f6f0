import type { Measured, Measurement } from './measure.ts';

interface Budget {
  readonly name: string;
  readonly found: string;
  readonly budget: string;
  readonly holds: boolean;
}

const twoDigits = (value: number): number => Number(value.toPrecision(3));

/** What must hold; half of it in the short form, which runs on busy machines. What was not measured is left out. */
export function budgets(results: Measurement, short: boolean): readonly Budget[] {
  const ease = short ? 0.5 : 1;
  const found: Budget[] = [];
  const least = (name: string, value: number | null, budget: number): void => {
    if (value === null) return;
    found.push({ name, found: value.toFixed(2), budget: `≥ ${budget * ease}`, holds: value >= budget * ease });
  };
  const most = (name: string, value: number | null, budget: number, unit = ''): void => {
    if (value === null || short) return;
    found.push({ name, found: `${value.toFixed(2)}${unit}`, budget: `≤ ${budget}${unit}`, holds: value <= budget });
  };
  least('one vs stock', results.ratio('one', 'stock', 'Q2'), 6);
  if (!short) {
    least('one vs Hive Gateway', results.ratio('one', 'hive', 'Q2'), 4);
    least('one vs PostGraphile', results.ratio('one', 'postgraphile', 'Q2'), 0.8);
    least('one with sixteen scopes vs PostGraphile', ratioOf(results, 'scopes16', 'postgraphile'), 0.5);
    least('one vs floor', results.ratio('one', 'floor', 'Q2'), 0.4);
    least('apart vs stock', results.ratio('apart', 'stock', 'Q2'), 2.5);
  }
  most('p99 at 64 clients vs PostGraphile', results.ratio('one', 'postgraphile', 'Q2wide', 'p99'), 1.5);
  most('Q1 from 20,000 to 200,000 citizens, time', results.ratio('growth-large', 'growth-small', 'Q1', 'p50'), 1.3);
  most('Q2 from 20,000 to 200,000 citizens, time', results.ratio('growth-large', 'growth-small', 'Q2', 'p50'), 1.3);
  most('memory at rest', results.noted('one.restMemory'), 600, ' MiB');
  most('memory under load', results.median('one', 'Q2wide', 'memory'), 900, ' MiB');
  const start = results.noted('one.start');
  most('start to ready', start === null ? null : start / 1000, 10, ' s');
  return found;
}

function ratioOf(results: Measurement, program: string, to: string): number | null {
  return results.ratio(program, to, 'Q2');
}

const loads = { Q1: 'Q1, 16', Q2: 'Q2, 16', Q2wide: 'Q2, 64' } as const;

export function tableOf(
  results: Measurement,
  { citizens, rounds, seconds }: { readonly citizens: number; readonly rounds: number; readonly seconds: number },
): string {
  const number = (value: number | null, digits = 0): string =>
    value === null ? '' : value.toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: digits });
  const range = (rows: readonly Measured[]): string => {
    const values = rows.map(({ rps }) => rps);
    return values.length === 0 ? '' : `${number(Math.min(...values))}–${number(Math.max(...values))}`;
  };
  const programs = results.programs.filter((name) => !name.startsWith('growth'));
  const lines = [
    `${citizens.toLocaleString('en')} citizens; ${rounds} interleaved rounds, medians; ${seconds.toFixed(0)} s in all.`,
    '',
    `| requests/s | ${Object.values(loads).join(' | ')} | range of Q2, 16 | p99 of Q2 at 16 / 64, ms | CPU µs per Q2: Node / PostgreSQL | PSS MiB |`,
    '|---|---|---|---|---|---|---|---|',
    ...programs.map((name) => {
      const median = (load: string, of: keyof Measured): string => number(results.median(name, load, of));
      return (
        `| ${name} | ${Object.keys(loads)
          .map((load) => median(load, 'rps'))
          .join(' | ')} | ${range(results.of(name, 'Q2'))} ` +
        `| ${median('Q2', 'p99')} / ${median('Q2wide', 'p99')} | ${median('Q2', 'nodeCpu')} / ${median('Q2', 'postgresCpu')} ` +
        `| ${number(results.median(name, results.of(name, 'Q2wide').length > 0 ? 'Q2wide' : 'Q2', 'memory'))} |`
      );
    }),
    '',
    '| budget | found | must be | |',
    '|---|---|---|---|',
    ...budgets(results, false).map(
      ({ name, found, budget, holds }) => `| ${name} | ${found} | ${budget} | ${holds ? 'holds' : '**missed**'} |`,
    ),
  ];
  return lines.join('\n');
}

/** For machines: the last line of the output. Keys of what was not measured are absent. */
export function jsonOf(results: Measurement): Record<string, unknown> {
  const given = (entries: Readonly<Record<string, number | null>>): Record<string, number> =>
    Object.fromEntries(Object.entries(entries).flatMap(([name, value]) => (value === null ? [] : [[name, twoDigits(value)]])));
  const against = (program: string): Record<string, number> =>
    given(
      Object.fromEntries(
        ['stock', 'hive', 'postgraphile', 'floor'].map((name) => [name, results.ratio(program, name, 'Q2')] as const),
      ),
    );
  const p99 = results.ratio('one', 'postgraphile', 'Q2wide', 'p99');
  const perProgram = (load: string, of: keyof Measured): Record<string, number> =>
    given(Object.fromEntries(results.programs.map((name) => [name, results.median(name, load, of)] as const)));
  return {
    ratios: {
      one: { ...against('one'), ...given({ p99 }) },
      scopes16: against('scopes16'),
      apart: against('apart'),
      growth: given({
        Q1: results.ratio('growth-large', 'growth-small', 'Q1', 'p50'),
        Q2: results.ratio('growth-large', 'growth-small', 'Q2', 'p50'),
      }),
    },
    rps: perProgram('Q2', 'rps'),
    rpsQ1: perProgram('Q1', 'rps'),
    rps64: perProgram('Q2wide', 'rps'),
    p99At16: perProgram('Q2', 'p99'),
    p99At64: perProgram('Q2wide', 'p99'),
    nodeMicroseconds: perProgram('Q2', 'nodeCpu'),
    postgresMicroseconds: perProgram('Q2', 'postgresCpu'),
    memoryMiB: { ...perProgram('Q2wide', 'memory'), ...given({ rest: results.noted('one.restMemory') }) },
    startSeconds: given({
      one: seconds(results.noted('one.start')),
      apart: seconds(results.noted('apart.start')),
    }),
    budgets: budgets(results, false),
  };
}

function seconds(milliseconds: number | null): number | null {
  return milliseconds === null ? null : milliseconds / 1000;
}
