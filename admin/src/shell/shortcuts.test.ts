import { expect, test } from '@jest/globals';
import { Shortcuts, type KeyPress } from './shortcuts.ts';

const press = (key: string, more: Partial<KeyPress> = {}): KeyPress => ({
  key,
  isComposing: false,
  ctrlKey: false,
  altKey: false,
  metaKey: false,
  typing: false,
  at: 0,
  ...more,
});

test('single keys', () => {
  const keys = new Shortcuts();
  expect(keys.press(press('/'))).toEqual({ do: 'search' });
  expect(keys.press(press('?'))).toEqual({ do: 'help' });
  expect(keys.press(press('j'))).toEqual({ do: 'row', step: 1 });
  expect(keys.press(press('k'))).toEqual({ do: 'row', step: -1 });
  expect(keys.press(press('1'))).toEqual({ do: 'key', key: '1' });
  expect(keys.press(press('Enter'))).toBeNull();
});

test('g, then the letter of a place, in time', () => {
  const keys = new Shortcuts();
  expect(keys.press(press('g'))).toBeNull();
  expect(keys.press(press('c', { at: 900 }))).toEqual({ do: 'go', place: 'citizens' });
  expect(keys.press(press('c', { at: 950 }))).toEqual({ do: 'key', key: 'c' });
  keys.press(press('g', { at: 1_000 }));
  expect(keys.press(press('k', { at: 3_000 }))).toEqual({ do: 'row', step: -1 });
  keys.press(press('g', { at: 4_000 }));
  expect(keys.press(press('k', { at: 4_100 }))).toEqual({ do: 'go', place: 'results' });
});

test('silent while a letter is composed, while one types, and with a modifier held', () => {
  const keys = new Shortcuts();
  const silent: readonly Partial<KeyPress>[] = [
    { isComposing: true },
    { typing: true },
    { ctrlKey: true },
    { altKey: true },
    { metaKey: true },
  ];
  for (const more of silent) for (const key of ['/', 'j', '1', '?']) expect(keys.press(press(key, more))).toBeNull();
  expect(keys.press(press('Process'))).toBeNull();
});
