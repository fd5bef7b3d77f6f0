import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readChoices, readOrder, writeChoices, type Choice } from './choices.ts';

const choices: readonly Choice[] = [
  { key: 'unit', label: 'filter.unit', kind: 'unit' },
  { key: 'status', label: 'filter.status', kind: 'enum', options: [{ value: 'GREEN', label: 'mark.GREEN' }] },
  { key: 'from', label: 'filter.from', kind: 'day' },
  { key: 'citizen', label: 'filter.citizen', kind: 'id' },
  { key: 'facility', label: 'filter.facility', kind: 'code' },
];
const id = '019b76da-a800-7d92-80ca-74010e8704db';

test('choices go into an address and come back', () => {
  const filter = { unit: 'u3', status: 'GREEN', from: '2026-11-24', citizen: id, facility: '52901' };
  const written = writeChoices(choices, filter, { field: 'fullName', order: 'DESC' });
  expect(readChoices(choices, written)).toEqual(filter);
  expect(readOrder(['fullName'], written)).toEqual({ field: 'fullName', order: 'DESC' });
  expect(readOrder([], written)).toBeNull();
});

test('what is no choice neither gets into an address nor out of one', () => {
  fc.assert(
    fc.property(
      fc.dictionary(
        fc.constantFrom('unit', 'status', 'from', 'citizen', 'facility', 'text', 'name'),
        fc.string({ unit: 'grapheme' }),
      ),
      (typed) => {
        const written = writeChoices(choices, { ...typed, text: 'Nguyễn Văn An' }, null);
        expect(written).not.toContain('text');
        expect(new URLSearchParams(written).toString()).toBe(written);
        for (const value of Object.values(readChoices(choices, new URLSearchParams(typed).toString())))
          expect(value).toMatch(/^(?:u\d{1,9}|GREEN|\d{4}-\d{2}-\d{2}|[0-9a-f-]{36}|[0-9A-Z]{5})$/);
      },
    ),
  );
});
