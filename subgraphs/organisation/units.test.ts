import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { coversUnit } from '#kernel/unit-scope.ts';
import { UnitDirectory, Units, type UnitRow } from './units.ts';

const inForce = { version: 1, validFrom: '2025-07-01', validTo: null } as const;

/** A forest: each unit hangs below one with a smaller number or below none. */
const forest = fc.array(fc.nat({ max: 1_000 }), { minLength: 1, maxLength: 40 }).map((choices): UnitRow[] =>
  choices.map((choice, index) => ({
    number: index * 3 + 1,
    code: String(index),
    name: `Unit ${String(index)}`,
    level: 'STATION',
    parent: index === 0 || choice % 7 === 0 ? null : (choice % index) * 3 + 1,
    ...inForce,
  })),
);

test('a scope holds exactly the units that one stands over', () => {
  fc.assert(
    fc.property(forest, (rows) => {
      const units = new Units(rows);
      for (const above of rows) {
        const scope = units.scopeOf(above.number);
        const below = rows.filter(({ number }) => units.standsOver(above.number, number));
        expect(scope.count).toBe(below.length);
        for (const { number } of rows) {
          expect(coversUnit(scope.units, number)).toBe(below.some((unit) => unit.number === number));
          expect(coversUnit(scope.units, number + 1)).toBe(false);
        }
      }
    }),
  );
});

test('a unit that does not exist covers nothing and is found by no id', () => {
  const units = new Units([{ number: 1, code: 'p', name: 'P', level: 'PROVINCE', parent: null, ...inForce }]);
  expect(units.scopeOf(2)).toEqual({ units: '{}', count: 0 });
  expect(units.standsOver(1, 2)).toBe(false);
  expect(units.findById('u1')?.code).toBe('p');
  for (const id of ['u2', '1', 'U1', 'u01', 'u1 ', '']) expect(units.findById(id)).toBeNull();
});

test('units are read again after five seconds, and beside the answers from three on', async () => {
  let now = 100_000;
  let reads = 0;
  const directory = new UnitDirectory(
    () => Promise.resolve([{ number: ++reads, code: 'x', name: 'X', level: 'STATION' as const, parent: null, ...inForce }]),
    { now: () => new Date(now) },
  );
  expect(directory.held()).toBeNull();
  const [one, other] = await Promise.all([directory.now(), directory.now()]);
  expect(one).toBe(other);
  expect(reads).toBe(1);
  now += 2_999;
  expect(directory.held()).toBe(one);
  now += 1;
  expect(directory.held()).toBe(one);
  await new Promise((resolve) => setImmediate(resolve));
  expect(reads).toBe(2);
  expect(directory.held()?.find(2)).not.toBeNull();
  now += 5_000;
  expect(directory.held()).toBeNull();
  expect((await directory.now()).find(3)).not.toBeNull();
});

test('a failed reading is told, and the next one is tried', async () => {
  let fails = true;
  const directory = new UnitDirectory(() => (fails ? Promise.reject(new Error('away')) : Promise.resolve([])), {
    now: () => new Date(100_000),
  });
  await expect(directory.now()).rejects.toThrow('away');
  fails = false;
  expect((await directory.now()).find(1)).toBeNull();
});
