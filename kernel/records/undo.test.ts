import { expect, test } from '@jest/globals';
import { fieldsWritten, standingOn, valuesBefore, type PastChange } from './undo.ts';

function change(id: string, fields: Readonly<Record<string, string | null>>, more: Partial<PastChange> = {}): PastChange {
  return {
    id,
    recordId: 'r',
    version: 1,
    action: 'card.changed',
    cause: 'MUTATION',
    causeId: 'trace',
    who: 'clerk',
    knownAt: '2026-11-24T03:00:00.000Z',
    before: Object.fromEntries(Object.keys(fields).map((field) => [field, `${field} before ${id}`])),
    after: fields,
    ...more,
  };
}

const undo = (id: string, of: PastChange): PastChange =>
  change(id, Object.fromEntries(fieldsWritten(of).map((field) => [field, null])), { cause: 'UNDO', causeId: of.id });

const phone = change('1', { phone: '0912345678' });
const name = change('2', { fullName: 'An' });
const other = change('3', { phone: '0987654321' });

test('a later change stands on an earlier one when it wrote one of its fields', () => {
  expect(standingOn(phone, [name])).toBeNull();
  expect(standingOn(phone, [other, name])?.id).toBe('3');
  expect(standingOn(name, [other])).toBeNull();
});

test('a change and its undo are together as if nothing had been, and an undo of the undo brings it back', () => {
  const back = undo('4', other);
  expect(standingOn(phone, [back, other])).toBeNull();
  expect(standingOn(phone, [undo('5', back), back, other])?.id).toBe('3');
  expect(standingOn(phone, [undo('6', undo('5', back)), undo('5', back), back, other])).toBeNull();
});

test('what was undone is not undone again: its undo stands on it', () => {
  const back = undo('4', phone);
  expect(standingOn(phone, [back])?.id).toBe('4');
  expect(standingOn(back, [])).toBeNull();
});

test('what stands in "after" alone is said of the change: nothing stands on it and nothing is put back', () => {
  const gone = change('7', { status: 'WITHDRAWN' });
  const withdrawn = { ...gone, after: { ...gone.after, reason: 'Nhập nhầm' } };
  expect(fieldsWritten(withdrawn)).toEqual(['status']);
  expect(valuesBefore(withdrawn, ['status'])).toEqual({ status: 'status before 7' });
  expect(() => valuesBefore(withdrawn, ['phone'])).toThrow('CHANGE_FINAL');
  expect(fieldsWritten({ ...withdrawn, before: null })).toEqual(['status', 'reason']);
});
