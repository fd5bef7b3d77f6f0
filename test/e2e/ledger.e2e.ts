import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { LedgerRun, victims, type Run } from '../kit/ledger-run.ts';
import { checkout, freshDataDir, startHub, type TestHub } from '../kit/hub.ts';

/*
 * Acknowledged is durable, and once: twenty writers while the hub, the worker and every process of PostgreSQL are killed in turn. The long run
 * (ledger.long.ts) is the same until 50,000 are acknowledged.
 */

let hub: TestHub;
let ledger: LedgerRun;
let run: Run;
const dataDir = freshDataDir();

beforeAll(async () => {
  hub = await startHub({ dataDir });
  ledger = await LedgerRun.open(hub, (id) => addClient(dataDir, id));
}, 180_000);
afterAll(async () => {
  await hub.stop();
  rmSync(dataDir, { recursive: true, force: true });
}, 60_000);

async function addClient(dir: string, id: string): Promise<string> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      join(checkout, 'cli', 'hub.mjs'),
      ...['clients', 'add', id, '--name', 'Ledger', '--unit', 'x11', '--role', 'integrator', '--points', '100000000', '--json'],
    ],
    { env: { ...process.env, INIT_CWD: checkout, HUB_DATA_DIR: dir }, cwd: checkout },
  );
  return (JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { secret: string }).secret;
}

test('no acknowledged write is lost and none happens twice while every process is killed in turn [F09] [F26] [F27] [F28]', async () => {
  run = await ledger.run({
    writers: 20,
    milliseconds: 12_000,
    acknowledged: 500,
    killEvery: 2_500,
    victims: [victims.hub, victims.postgres, victims.worker],
  });
  const { lost, doubled, unexpected, contradicted, acknowledged } = await ledger.verdict();
  expect({ lost, doubled, unexpected, contradicted }).toEqual({ lost: [], doubled: [], unexpected: [], contradicted: [] });
  expect(acknowledged).toBeGreaterThanOrEqual(500);
  expect(new Set(run.killed)).toEqual(new Set(['hub', 'postgres', 'worker']));
  expect(run.repeated).toBeGreaterThan(0);
  expect(Math.max(...run.outages)).toBeLessThan(15_000);
}, 120_000);
