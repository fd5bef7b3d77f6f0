import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { countOfUnits, coversUnit, narrowed, rangesOf, unitTree, unitTreeSource } from './unit-scope.ts';
import type { ReadDoor } from './db/read-door.ts';

const tree = unitTree([
  { number: 1, parent: null },
  { number: 2, parent: 1 },
  { number: 3, parent: 1 },
  { number: 4, parent: 2 },
  { number: 9, parent: 2 },
]);
const scope = (units: string) => ({ units, unitCount: countOfUnits(units), citizenId: null });

test('a scope covers exactly the units it was made of', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 60 })), fc.integer({ min: 1, max: 60 }), (numbers, unit) => {
      const units = rangesOf(numbers);
      expect(countOfUnits(units)).toBe(numbers.length);
      expect(coversUnit(units, unit)).toBe(numbers.includes(unit));
    }),
  );
  expect(rangesOf([4, 2, 3, 9])).toBe('{[2,5),[9,10)}');
  expect(rangesOf([])).toBe('{}');
});

test('below a unit is the unit itself and everything under it', () => {
  expect(tree.below(2)).toEqual([2, 4, 9]);
  expect(tree.below(4)).toEqual([4]);
  expect(tree.below(7)).toEqual([]);
});

test('a scope that leaves a unit out does not cover the tree, however many numbers it holds', () => {
  expect(tree.coveredBy(rangesOf([1, 2, 3, 4, 9]))).toBe(true);
  expect(tree.coveredBy('{(,)}')).toBe(true);
  expect(tree.coveredBy('{[1,9)}')).toBe(false);
  expect(tree.coveredBy('{[2,10)}')).toBe(false);
});

test('narrowed to a unit, a scope never grows: foreign and unknown units leave nothing', () => {
  const centre = scope(rangesOf([2, 4, 9]));
  expect(narrowed(centre, tree, 4).units).toBe('{[4,5)}');
  expect(narrowed(centre, tree, 1).units).toBe('{[2,3),[4,5),[9,10)}');
  expect(narrowed(centre, tree, 3)).toMatchObject({ units: '{}', unitCount: 0 });
  expect(narrowed(centre, tree, 77)).toMatchObject({ units: '{}', unitCount: 0 });
});

test('the tree is read again after five seconds, and at once after a failure', async () => {
  let now = 0;
  let reads = 0;
  let failing = true;
  const rows = () => {
    reads += 1;
    return failing ? Promise.reject(new Error('away')) : Promise.resolve([{ number: 1, parent: null }]);
  };
  const units = unitTreeSource({ rows } as unknown as ReadDoor, { now: () => new Date(now) });
  await expect(units(scope('{}'))).rejects.toThrow('away');
  failing = false;
  expect((await units(scope('{}'))).size).toBe(1);
  now = 4_999;
  await units(scope('{}'));
  expect(reads).toBe(2);
  now = 5_000;
  await units(scope('{}'));
  expect(reads).toBe(3);
});
