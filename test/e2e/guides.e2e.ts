import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { verbs } from '../../cli/verbs.ts';
import { blocksOf, packagesOf, runGuide } from '../kit/guide.ts';
import { checkout, startHub, type TestHub } from '../kit/hub.ts';
import { command } from '../kit/reconcile-drill.ts';

let hub: TestHub;

beforeAll(async () => {
  hub = await startHub();
}, 120_000);
afterAll(() => hub.stop(), 60_000);

test.each([
  ['docs/integrators.md', undefined, 4],
  ['README.md', 'Ask it something', 1],
])(
  'examples of %s (%s) run as they are written and print what the page says',
  async (page, section, least) => {
    const examples = await runGuide(hub, blocksOf(page, section));
    expect(examples.length).toBeGreaterThanOrEqual(least);
    for (const { line, printed, promised } of examples)
      if (promised !== null) expect({ page, line, printed }).toEqual({ page, line, printed: promised });
  },
  120_000,
);

test('packages that a guide installs are those with which it was checked', () => {
  const own = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as Record<string, Record<string, string>>;
  expect(
    packagesOf(blocksOf('docs/integrators.md')).filter(
      (name) => own.devDependencies?.[name] === undefined && own.dependencies?.[name] === undefined,
    ),
  ).toEqual([]);
});

/** `npm run hub -- VERB …` in all pages. */
function hubCommands(): readonly (readonly [page: string, words: readonly string[]])[] {
  const pages = [
    'README.md',
    ...readdirSync(join(checkout, 'docs'))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `docs/${name}`),
  ];
  return pages.flatMap((page) =>
    [...readFileSync(join(checkout, page), 'utf8').matchAll(/npm run (?:--silent )?hub -- ([^\n`#|;)]+)/g)].map(
      ({ 1: words = '' }) => [page, words.trim().split(/\s+/)] as const,
    ),
  );
}

test('every command of the hub that a page names is there, and what only looks runs', async () => {
  const named = hubCommands().filter(([, [verb]]) => verb !== '…');
  expect(named.length).toBeGreaterThan(15);
  expect(named.filter(([, [verb = '']]) => !(verb in verbs))).toEqual([]);
  const looking = new Set(['runs list', 'users list', 'clients list', 'bases list', 'doctor', 'verify-audit']);
  const lines = [
    ...new Set(named.map(([, [verb = '', what = '']]) => (looking.has(verb) ? verb : `${verb} ${what.replace(/\W+$/, '')}`))),
  ];
  const run = lines.filter((line) => looking.has(line));
  expect(run.length).toBeGreaterThanOrEqual(3);
  for (const line of run) {
    const { code, said } = await command(hub.dataDir, ...line.split(' ')).ended;
    // `doctor` warns of what a demonstration lacks; only what is wrong ends with 1.
    expect({ line, code, said: code === 0 ? '' : said }).toEqual({ line, code: 0, said: '' });
  }
}, 60_000);
