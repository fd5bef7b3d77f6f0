import { randomInt } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { openProvince, openWork, run } from '../../test/kit/reconcile-world.ts';

const seeds = Array.from({ length: 5 }, () => randomInt(1, 1_000_000_000));

test.each(seeds)(
  'with seed %i a comparison finds exactly what was planted, also after sixty calls failed',
  async (seed) => {
    process.stderr.write(`reconcile: seed ${String(seed)}\n`);
    const province = await openProvince(seed);
    try {
      await province.simulator.behave({ mode: 'status', share: 0.2, seed, count: 60 });
      // Whoever was not answered is due again.
      for (let rounds = 0, left = 1; left > 0 && rounds < 200; rounds += 1) {
        ({ busy: left } = await run(province));
        if (left > 0) await new Promise((resolve) => setTimeout(resolve, 150));
      }
      expect({ seed, open: await openWork(province) }).toEqual({ seed, open: province.planted });
    } finally {
      await province.close();
    }
  },
  120_000,
);
