import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import type { CardNumberReason, BhxhNumberReason } from '../domain/insurance-card-number.ts';
import type { EmailReason, PhoneReason } from '../domain/contact.ts';
import type { PersonNameReason } from '../domain/person-name.ts';
import type { OldIdNumberReason, PersonalIdReason } from '../domain/personal-id.ts';
import type { BirthDateReason, DayReason } from '../domain/plain-date.ts';
import type { ResultCodeReason } from '../domain/result-code.ts';
import { catalogue, errorCodes, type Reason } from './catalogue.ts';
import { errorCodesPage } from './error-codes-page.ts';

type ValueReason =
  | CardNumberReason
  | BhxhNumberReason
  | EmailReason
  | PhoneReason
  | PersonNameReason
  | OldIdNumberReason
  | PersonalIdReason
  | BirthDateReason
  | DayReason
  | ResultCodeReason;

test('every reason of a value is an entry of the catalogue', () => {
  const known: ValueReason extends Reason ? true : false = true;
  expect(known).toBe(true);
});

test('every entry says in both languages what is wrong and what to do, and belongs to a class', () => {
  for (const [reason, entry] of Object.entries(catalogue)) {
    expect(reason).toMatch(/^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*$/);
    expect(Object.keys(errorCodes)).toContain(entry.code);
    expect(entry.en.length).toBeGreaterThan(15);
    expect(entry.vi.length).toBeGreaterThan(15);
    expect(entry.vi).toMatch(/[À-ỹđ]/i);
    expect(entry.vi).toBe(entry.vi.normalize('NFC'));
  }
});

test('no text of the catalogue holds a personal number', () => {
  for (const { en, vi } of Object.values(catalogue)) expect(`${en} ${vi}`).not.toMatch(/(?<![0-9A-Z])[0-9]{12}/);
});

test('docs/error-codes.md is current: npm run hub -- docs', async () => {
  expect(await readFile(new URL('../../docs/error-codes.md', import.meta.url), 'utf8')).toBe(errorCodesPage());
});
