import type { Parsed } from './brand.ts';
import { fold } from './person-name.ts';

export type Gender = 'MALE' | 'FEMALE' | 'UNDETERMINED';

const words: Readonly<Record<string, Gender>> = {
  '1': 'MALE',
  male: 'MALE',
  nam: 'MALE',
  '2': 'FEMALE',
  female: 'FEMALE',
  nu: 'FEMALE',
  '3': 'UNDETERMINED',
  undetermined: 'UNDETERMINED',
  'chua xac dinh': 'UNDETERMINED',
  'khong xac dinh': 'UNDETERMINED',
  khac: 'UNDETERMINED',
};

/** Digits of the XML tables, words of the card check and of the forms, with or without tones. */
export function parseGender(text: string): Parsed<Gender, 'GENDER_WORD'> {
  const key = fold(text);
  const gender = Object.hasOwn(words, key) ? words[key] : undefined;
  return gender === undefined ? { ok: false, reason: 'GENDER_WORD' } : { ok: true, value: gender };
}
