import { expect, test } from '@jest/globals';
import type { FormField } from '../forms/form-spec.ts';
import { fieldsFor } from './slip-fields.ts';

const facts: readonly FormField[] = [{ key: 'number', label: 'column.slipNumber', kind: 'text' }];
const keys = (slip: Parameters<typeof fieldsFor>[0]): readonly string[] => fieldsFor(slip, facts).map(({ key }) => key);

test('of a signed slip the status alone goes on; of one entered by hand everything can be mended', () => {
  expect(keys({ origin: 'SIGNED', status: 'ISSUED' })).toEqual(['status']);
  expect(keys({ origin: 'ENTERED', status: 'ISSUED' })).toEqual(['number', 'status']);
  expect(keys(null)).toEqual(['number']);
});

test('a status goes forward, never back', () => {
  const [status] = fieldsFor({ origin: 'SIGNED', status: 'ACCEPTED' }, facts);
  expect(status?.options?.map(({ value }) => value)).toEqual(['ACCEPTED', 'USED', 'CANCELLED']);
});
