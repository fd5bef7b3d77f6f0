/*
 * How fast the province is compared with the population database: 20,000 invented citizens by `hub reconcile`, as an operator runs it, with
 * the simulator taking 5 ms a call; then again, which asks only about what is open. The time is that of the command, its start included.
 *
 *   npm run bench -- reconcile [--json] [--citizens N] [--delay MS]
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { hubCommand, startHub } from '../query/data.ts';
import { recordResult } from '../results.ts';

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    citizens: { type: 'string', default: '20000' },
    delay: { type: 'string', default: '5' },
  },
});
const citizens = Number(options.citizens);

const dir = mkdtempSync(join(tmpdir(), 'lien-thong-bench-reconcile-'));
try {
  const data = join(dir, 'hub');
  const hub = await startHub(data, 'one');
  try {
    await hubCommand(data, 'generate', '--citizens', String(citizens), '--seed', '11');
    const { control } = JSON.parse(readFileSync(join(data, 'population-simulator.json'), 'utf8')) as { readonly control: string };
    await fetch(`${control}/behaviour`, { method: 'PUT', body: JSON.stringify({ delay: Number(options.delay) }) });
    const timed = async (): Promise<{ readonly seconds: number; readonly report: Record<string, unknown> }> => {
      const began = performance.now();
      const report = await hubCommand(data, 'reconcile');
      return { seconds: (performance.now() - began) / 1000, report };
    };
    const first = await timed();
    const calls = (await (await fetch(`${control}/behaviour`)).json()) as { readonly calls: number };
    const again = await timed();
    const names = ['asked', 'matched', 'differing', 'unknown', 'busy', 'refused', 'opened'];
    const asked = Number(first.report.asked);
    const line = (name: string, { seconds, report }: typeof first): string =>
      `| ${name} | ${seconds.toFixed(1)} | ${(Number(report.asked) / seconds).toFixed(0)} | ${names.map((key) => String(report[key])).join(' | ')} |`;
    const table = [line('first', first), line('again', again)];
    recordResult(
      'reconcile',
      [
        `\`hub reconcile\` of ${String(asked)} citizens beside a running hub, the simulator taking ${options.delay} ms a call (${String(calls.calls)} calls); the start of the command is in the time. Budget: 20,000 in 60 s, so 334/s.`,
        '',
        `| time | s | citizens/s | ${names.join(' | ')} |`,
        `| --- | --- | --- |${' --- |'.repeat(names.length)}`,
        ...table,
      ].join('\n'),
    );
    const numbers = {
      citizens: asked,
      seconds: Number(first.seconds.toFixed(1)),
      citizensPerSecond: Math.round(asked / first.seconds),
      callsPerCitizen: Number((calls.calls / asked).toFixed(3)),
    };
    process.stdout.write(options.json ? `${JSON.stringify(numbers)}\n` : `${table.join('\n')}\n`);
  } finally {
    await hub.stop();
  }
} finally {
  rmSync(dir, { recursive: true, force: true });
}
