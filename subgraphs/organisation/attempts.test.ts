import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Attempts } from './attempts.ts';

const start = Date.UTC(2026, 10, 24);

function world() {
  const time = { now: start };
  return { time, attempts: new Attempts({ now: () => new Date(time.now) }) };
}
const wrong = () => Promise.resolve('wrong' as const);
const right = () => Promise.resolve('other' as const);

test('the sixth attempt after five wrong secrets is refused, right or wrong, until the minute is over [A07]', async () => {
  const { time, attempts } = world();
  for (let n = 0; n < 5; n++) expect(await attempts.run('reader', '10.0.0.1', wrong)).toEqual({ allowed: true });
  time.now += 20_000;
  expect(await attempts.run('reader', '10.0.0.1', right)).toEqual({ allowed: false, retryAfter: 40 });
  expect(await attempts.run('reader', '10.0.0.2', right)).toEqual({ allowed: true });
  expect(await attempts.run('other', '10.0.0.1', right)).toEqual({ allowed: true });
  time.now += 40_000;
  expect(await attempts.run('reader', '10.0.0.1', right)).toEqual({ allowed: true });
});

test('twenty guesses sent at once are looked at five times [A07]', async () => {
  const { attempts } = world();
  let looked = 0;
  const guess = async () => {
    looked += 1;
    await new Promise((resolve) => setTimeout(resolve, 2));
    return 'wrong' as const;
  };
  const answers = await Promise.all(Array.from({ length: 20 }, () => attempts.run('reader', '10.0.0.1', guess)));
  expect(looked).toBe(5);
  expect(answers.filter(({ allowed }) => allowed)).toHaveLength(5);
});

test('right secrets are never limited, whatever else their client sent before', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 60 }), async (tries) => {
      const { attempts } = world();
      let failed = 0;
      for (const good of tries) {
        const { allowed } = await attempts.run('reader', '10.0.0.1', good ? right : wrong);
        expect(allowed).toBe(failed < 5);
        if (allowed && !good) failed += 1;
      }
    }),
  );
});

test('one address that tries many clients is stopped, and so is one network of IPv6', async () => {
  const { attempts } = world();
  for (let n = 0; n < 100; n++) await attempts.run(`c${String(n)}`, `2001:db8:0:1::${n.toString(16)}`, wrong);
  expect((await attempts.run('reader', '2001:db8:0:1:ffff::1', right)).allowed).toBe(false);
  expect((await attempts.run('reader', '2001:db8:0:2::1', right)).allowed).toBe(true);
});

test('an attempt that breaks is no failure and blocks nobody', async () => {
  const { attempts } = world();
  await expect(attempts.run('reader', '10.0.0.1', () => Promise.reject(new Error('away')))).rejects.toThrow('away');
  expect(await attempts.run('reader', '10.0.0.1', right)).toEqual({ allowed: true });
});

test('a flood from everywhere waits in a short line or is turned away at once', async () => {
  const { attempts } = world();
  let most = 0;
  let now = 0;
  const slow = async () => {
    most = Math.max(most, (now += 1));
    await new Promise((resolve) => setTimeout(resolve, 5));
    now -= 1;
    return 'wrong' as const;
  };
  const answers = await Promise.all(
    Array.from({ length: 500 }, (_, n) => attempts.run('reader', `10.1.${String(n >> 8)}.${String(n & 255)}`, slow)),
  );
  expect(most).toBe(128);
  expect(answers.filter(({ allowed }) => allowed)).toHaveLength(128);
  expect(await attempts.run('reader', '10.2.0.1', right)).toEqual({ allowed: true });
});
