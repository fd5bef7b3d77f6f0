import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { cursorBindings, decodeCursor, encodeCursor, type CursorKey } from './page.ts';

const cursors = cursorBindings(Buffer.alloc(32, 1));
const keys = fc.array(fc.oneof(fc.string(), fc.integer(), fc.constant(null)), { minLength: 1, maxLength: 3 });

test('a cursor is read where it was given, by every copy of the hub', () => {
  fc.assert(
    fc.property(fc.string(), fc.dictionary(fc.string(), fc.string()), keys, (list, filter, place) => {
      const cursor = encodeCursor(cursors(list, filter, 'id'), place);
      const copy = cursorBindings(Buffer.alloc(32, 1));
      expect(decodeCursor(copy(list, filter, 'id'), cursor, place.length)).toEqual(place);
    }),
  );
});

test('a cursor that nobody was given is refused: of another filter, another hub, or with a place made up', () => {
  const given = encodeCursor(cursors('citizens', { text: 'a' }, 'id'), ['one']);
  const refused = (binding: string, cursor: string): void => {
    expect(() => decodeCursor(binding, cursor, 1)).toThrow('CURSOR_INVALID');
  };
  refused(cursors('citizens', { text: 'b' }, 'id'), given);
  refused(cursors('cards', { text: 'a' }, 'id'), given);
  refused(cursorBindings(Buffer.alloc(32, 2))('citizens', { text: 'a' }, 'id'), given);
  const [seal] = JSON.parse(Buffer.from(given, 'base64url').toString()) as CursorKey[];
  fc.assert(
    fc.property(
      keys.filter((place) => JSON.stringify(place) !== '["one"]'),
      fc.option(fc.string()),
      (place, other) => {
        const made = Buffer.from(JSON.stringify([other ?? seal, ...place])).toString('base64url');
        expect(() => decodeCursor(cursors('citizens', { text: 'a' }, 'id'), made, place.length)).toThrow('CURSOR_INVALID');
      },
    ),
  );
});
