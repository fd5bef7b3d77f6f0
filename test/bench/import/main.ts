/*
 * How fast a facility's files come in: 10,000 invented citizens by `hub import citizens`, as an operator runs it, then a card of each by
 * `hub import cards`, each twice: the second time must change nothing. The time is that of the command, its start included.
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

/** A card of each of them. */
function cardsOf(count: number): string {
  const day = parsePlainDay('2026-11-24');
  if (!day.ok) throw new Error('no such day');
  const world = largeWorld(31, count, 0, day.value);
  const lines = Array.from({ length: count }, (_, index) => {
    const { ours } = world.citizen(index);
    return [`DN438${String(3_000_000_000 + index)}`, ours.personalId ?? '', '2026-01-01', '2026-12-31', '52901'].join(',');
  });
  return ['number,personal_id,valid_from,valid_to,registered_facility', ...lines, ''].join('\n');
}

const dir = mkdtempSync(join(tmpdir(), 'lien-thong-bench-import-'));
try {
  const file = join(dir, 'citizens.csv');
  writeFileSync(file, fileOf(rows));
  const cards = join(dir, 'cards.csv');
  writeFileSync(cards, cardsOf(rows));
  const hub = await startHub(join(dir, 'hub'), 'one');
  try {
    const timed = async (
      kind: 'citizens' | 'cards',
      path: string,
    ): Promise<{ seconds: number; report: Record<string, unknown> }> => {
      const began = performance.now();
      const report = await hubCommand(join(dir, 'hub'), 'import', kind, path);
      return { seconds: (performance.now() - began) / 1000, report };
    };
    const first = await timed('citizens', file);
    const again = await timed('citizens', file);
    const firstCards = await timed('cards', cards);
    const againCards = await timed('cards', cards);
    const line = (name: string, { seconds, report }: typeof first): string =>
      `| ${name} | ${seconds.toFixed(1)} | ${(rows / seconds).toFixed(0)} | ${['added', 'changed', 'unchanged', 'waiting', 'refused'].map((key) => String(report[key])).join(' | ')} |`;
    const table = [
      line('citizens', first),
      line('citizens again', again),
      line('cards', firstCards),
      line('cards again', againCards),
    ];
    recordResult(
      'import',
      [
        `\`hub import citizens\` and \`hub import cards\` of ${rows} rows each beside a running hub; the start of the command is in the time. Budget: 2,000 rows/s.`,
        '',
        '| file | s | rows/s | added | changed | unchanged | waiting | refused |',
        '| --- | --- | --- | --- | --- | --- | --- | --- |',
        ...table,
      ].join('\n'),
    );
    const pace = ({ seconds }: typeof first): number => Math.round(rows / seconds);
    const numbers = {
      rowsPerSecond: pace(first),
      againRowsPerSecond: pace(again),
      cardRowsPerSecond: pace(firstCards),
      againCardRowsPerSecond: pace(againCards),
    };
    process.stdout.write(options.json ? `${JSON.stringify(numbers)}\n` : `${table.join('\n')}\n`);
  } finally {
    await hub.stop();
  }
} finally {
  rmSync(dir, { recursive: true, force: true });
}
