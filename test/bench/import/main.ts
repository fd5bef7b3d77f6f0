/*
 * How fast a facility's file comes in: 10,000 invented citizens by `hub import citizens`, as an operator runs it, then the same file
 * again, which must change nothing. The time is that of the command, its start included.
 *
 *   npm run bench -- import [--json] [--rows N]
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parsePlainDay } from '#kernel/domain/plain-date.ts';
import { largeWorld } from '#kernel/synthetic/world.ts';
import { hubCommand, startHub } from '../query/data.ts';
import { recordResult } from '../results.ts';

const { values: options } = parseArgs({
  options: { json: { type: 'boolean', default: false }, rows: { type: 'string', default: '10000' } },
});
const rows = Number(options.rows);

/** A file as a station would send it. */
function fileOf(count: number): string {
  const day = parsePlainDay('2026-11-24');
  if (!day.ok) throw new Error('no such day');
  const world = largeWorld(31, count, 0, day.value);
  const cell = (text: string | null): string => (text === null ? '' : `"${text.replaceAll('"', '""')}"`);
  const lines = Array.from({ length: count }, (_, index) => {
    const { ours } = world.citizen(index);
    return [
      ours.personalId,
      ours.fullName,
      ours.dateOfBirth,
      ours.gender === 'MALE' ? '1' : '2',
      ours.ethnicity,
      ours.phone,
      ours.permanent.text,
      ours.permanent.code,
      'x11',
      `bench-${index}`,
    ]
      .map(cell)
      .join(',');
  });
  const header =
    'personal_id,full_name,date_of_birth,gender,ethnicity,phone,permanent_address,permanent_commune,unit_code,source_key';
  return [header, ...lines, ''].join('\n');
}

const dir = mkdtempSync(join(tmpdir(), 'lien-thong-bench-import-'));
try {
  const file = join(dir, 'citizens.csv');
  writeFileSync(file, fileOf(rows));
  const hub = await startHub(join(dir, 'hub'), 'one');
  try {
    const timed = async (): Promise<{ seconds: number; report: Record<string, unknown> }> => {
      const began = performance.now();
      const report = await hubCommand(join(dir, 'hub'), 'import', 'citizens', file);
      return { seconds: (performance.now() - began) / 1000, report };
    };
    const first = await timed();
    const again = await timed();
    const line = (name: string, { seconds, report }: typeof first): string =>
      `| ${name} | ${seconds.toFixed(1)} | ${(rows / seconds).toFixed(0)} | ${['added', 'changed', 'unchanged', 'refused'].map((key) => String(report[key])).join(' | ')} |`;
    const table = [line('first', first), line('again', again)];
    recordResult(
      'import',
      [
        `\`hub import citizens\` of ${rows} rows beside a running hub; the start of the command is in the time. Budget: 2,000 rows/s.`,
        '',
        '| time | s | rows/s | added | changed | unchanged | refused |',
        '| --- | --- | --- | --- | --- | --- | --- |',
        ...table,
      ].join('\n'),
    );
    const numbers = { rowsPerSecond: Math.round(rows / first.seconds), againRowsPerSecond: Math.round(rows / again.seconds) };
    process.stdout.write(options.json ? `${JSON.stringify(numbers)}\n` : `${table.join('\n')}\n`);
  } finally {
    await hub.stop();
  }
} finally {
  rmSync(dir, { recursive: true, force: true });
}
