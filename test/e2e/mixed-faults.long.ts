import { randomInt } from 'node:crypto';
import { rmSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { freshDataDir, startHub } from '../kit/hub.ts';
import { mixFaults } from '../kit/mixed-faults.ts';
import { plantedOf } from '../kit/reconcile-drill.ts';
import { openRedis } from '../kit/redis.ts';

/* Everything goes wrong at once, on either queue. HUB_MIX_SECONDS: how long; ten minutes at night. */

const seconds = Number(process.env.HUB_MIX_SECONDS ?? '60');

test.each([
  ['apart', 'redis'],
  ['one', 'postgres'],
] as const)(
  '%s with the queue in %s: every ten seconds something goes wrong under twenty writers, nothing is lost or doubled [F30]',
  async (processes, backend) => {
    const seed = Number(process.env.HUB_MIX_SEED ?? randomInt(1, 100_000));
    const dataDir = freshDataDir();
    const redis = backend === 'redis' ? await openRedis() : null;
    await redis?.start();
    const hub = await startHub({ processes, dataDir, env: redis === null ? {} : { REDIS_URL: redis.url } });
    try {
      const { verdict, loose, runs, open, struck, outages } = await mixFaults(hub, {
        seed,
        redis,
        writers: 20,
        milliseconds: seconds * 1_000,
        strikes: Math.max(1, Math.round(seconds / 40)),
        acknowledged: 1_000,
        strikeEvery: 10_000,
        asleep: 8_000,
        patience: 300_000,
      });
      const { lost, doubled, unexpected, contradicted, acknowledged, attempted, recovered } = verdict;
      process.stderr.write(
        `${processes} ${backend}, seed ${String(seed)}: ${String(acknowledged)} of ${String(attempted)} acknowledged, ${String(recovered)} recovered, ` +
          `${String(struck.length)} faults, longest outage ${Math.max(...outages).toFixed(0)} ms, ${String(runs.length)} comparisons\n`,
      );
      expect({ lost, doubled, unexpected, contradicted }).toEqual({ lost: [], doubled: [], unexpected: [], contradicted: [] });
      expect(Object.entries(loose).filter(([, count]) => count !== 0)).toEqual([]);
      expect(runs.map(({ state, done, total }) => [state, done === total])).toEqual(runs.map(() => ['DONE', true]));
      expect(open).toEqual(plantedOf(dataDir));
    } finally {
      await hub.stop();
      await redis?.close();
      rmSync(dataDir, { recursive: true, force: true });
    }
  },
  seconds * 1_000 + 900_000,
);
