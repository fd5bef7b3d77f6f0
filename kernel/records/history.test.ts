import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { mask } from '../domain/masking.ts';
import { shownChange, type ChangeRow } from './history.ts';

const row: ChangeRow = {
  id: '1',
  version: 2,
  who: 'import',
  cause: 'IMPORT',
  causeId: null,
  knownAt: '2026-11-24T03:00:00.000Z',
  trueFrom: null,
  action: 'card.changed',
  before: null,
  after: null,
};
const fields = { number: 'cardNumber', status: null } as const;

test('history shows what is listed and nothing else, whatever was stored', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.boolean(), (stored, clear) => {
      const { after } = shownChange({ ...row, after: stored }, fields, () => clear);
      for (const { field } of after ?? []) expect(['number', 'status']).toContain(field);
    }),
  );
});

test('a masked field is masked before and after, and absent values stay absent', () => {
  const values = { number: 'GD4380123456789', status: 'ACTIVE', __proto__: 'x', holder: 'someone', validTo: null };
  const change = shownChange({ ...row, before: values, after: { ...values, number: null, status: 3 } }, fields, () => false);
  expect(change.before).toEqual([
    { field: 'number', value: mask('cardNumber', values.number) },
    { field: 'status', value: 'ACTIVE' },
  ]);
  expect(change.after).toEqual([
    { field: 'number', value: null },
    { field: 'status', value: '3' },
  ]);
  expect(shownChange({ ...row, before: values }, fields, () => true).before?.[0]?.value).toBe(values.number);
});
