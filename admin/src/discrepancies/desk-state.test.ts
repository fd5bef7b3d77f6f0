import { expect, test } from '@jest/globals';
import type { Discrepancy } from '../api/records.ts';
import { answered, emptyDesk, lastDecided, mayTake, sent, undone, waits, withItems } from './desk-state.ts';

const item = (id: string): Discrepancy => ({
  id,
  version: 1,
  field: 'DATE_OF_BIRTH',
  kind: 'DIFFERENT',
  foundBy: 'RECONCILE',
  ours: '1992-11-02',
  theirs: '1992-02-11',
  state: 'OPEN',
  raisedAt: '2026-11-01T00:00:00Z',
  orgUnit: { id: 'u5', name: 'x21' },
  citizen: { id: `person-${id}`, fullName: 'Lê Thị Chi', lifeStatus: 'ACTIVE' },
});
const desk = withItems(emptyDesk, [item('a'), item('b'), item('c')]);

test('one key, and the next one is at hand before the answer is there', () => {
  const first = sent(desk, 'a', 'KEEP');
  expect([first.at, waits(first, 'a')]).toEqual(['b', false]);
  const second = sent(first, 'b', 'TAKE');
  const known = answered(second, 'a', { is: 'decided', decision: 'KEEP', changeId: 'x', citizenVersion: 2 });
  expect([known.at, lastDecided(known)]).toEqual(['c', 'a']);
});

test('after the last one stays where one is; what was skipped comes before', () => {
  const skipped = { ...desk, at: 'c' };
  expect(sent(skipped, 'c', 'KEEP').at).toBe('a');
  const one = withItems(emptyDesk, [item('a')]);
  expect(sent(one, 'a', 'KEEP').at).toBe('a');
});

test('undone, it is at hand again under its new version; refused, it waits', () => {
  const decided = answered(sent(desk, 'a', 'KEEP'), 'a', { is: 'decided', decision: 'KEEP', changeId: 'x', citizenVersion: 2 });
  const back = undone(decided, 'a', 3);
  expect([back.at, back.items[0]?.version, waits(back, 'a'), lastDecided(back)]).toEqual(['a', 3, true, null]);
  expect(waits(answered(sent(desk, 'a', 'TAKE'), 'a', { is: 'refused', message: '…' }), 'a')).toBe(true);
});

test('only a value that is there can be taken', () => {
  expect(mayTake({ kind: 'DIFFERENT', theirs: 'x' })).toBe(true);
  expect(mayTake({ kind: 'DIFFERENT', theirs: null })).toBe(false);
  expect(mayTake({ kind: 'UNKNOWN_PERSON', theirs: 'x' })).toBe(false);
});
