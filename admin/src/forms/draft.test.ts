import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { attemptOf, changedKeys, differences, freshDraft, rebased, typed, valueIn, type Draft } from './draft.ts';

const read = freshDraft(3, { fullName: 'Nguyễn Văn An', phone: '0901•••567', email: '' });

test('only what differs from what was read is a change', () => {
  let draft = typed(read, 'phone', '0912345678', 1);
  draft = typed(draft, 'email', ' ', 2);
  expect(changedKeys(draft)).toEqual(['phone']);
  expect(changedKeys(typed(draft, 'phone', '0901•••567', 3))).toEqual([]);
});

test('a number shown in clear is no change; typed over, it is', () => {
  const shown = { ...read, clear: { phone: '0901234567' } };
  expect(valueIn(shown, 'phone')).toBe('0901234567');
  expect(changedKeys(typed(shown, 'phone', '0901234567', 1))).toEqual([]);
  expect(changedKeys(typed(shown, 'phone', '0901234568', 1))).toEqual(['phone']);
});

test('the same input keeps its key until its outcome is known, another input gets another', () => {
  let keys = 0;
  const key = (): string => `key-${(keys += 1)}`;
  const first = attemptOf(read, { phone: '1' }, key);
  const draft: Draft = { ...read, attempt: first };
  expect(attemptOf(draft, { phone: '1' }, key)).toBe(first);
  expect(attemptOf(draft, { phone: '2' }, key).key).toBe('key-2');
});

test('two people at one record: each field knows who changed it, and only a clash needs a choice', () => {
  let draft = typed(read, 'phone', '0912345678', 1);
  draft = typed(draft, 'email', 'an@example.vn', 2);
  const theirs = { fullName: 'Nguyễn Văn Ân', phone: '0988•••111', email: '' };
  expect(differences(draft, theirs).map(({ key, standing }) => [key, standing])).toEqual([
    ['phone', 'clash'],
    ['email', 'mine'],
    ['fullName', 'theirs'],
  ]);
  const merged = rebased(draft, 4, theirs, () => true);
  expect([merged.version, valueIn(merged, 'fullName'), valueIn(merged, 'phone'), valueIn(merged, 'email')]).toEqual([
    4,
    'Nguyễn Văn Ân',
    '0912345678',
    'an@example.vn',
  ]);
  expect(changedKeys(rebased(draft, 4, theirs, () => false))).toEqual(['email']);
});

test('merging never drops what only one of the two wrote', () => {
  const side = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.constantFrom('x', 'y', 'z'));
  fc.assert(
    fc.property(side, side, side, (base, mine, theirs) => {
      const whole = { a: '', b: '', c: '', d: '' };
      const draft: Draft = { ...freshDraft(1, { ...whole, ...base }), mine };
      const now = { ...whole, ...base, ...theirs };
      const merged = rebased(draft, 2, now, () => true);
      for (const key of Object.keys(whole) as (keyof typeof whole)[]) {
        const iChanged = changedKeys(draft).includes(key);
        expect(valueIn(merged, key)).toBe(iChanged ? valueIn(draft, key) : now[key]);
      }
    }),
  );
});
