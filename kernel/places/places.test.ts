import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { communesOf, currentPlace, findCommune, listsWith, oldCommunesOf } from './index.ts';

const codesIn = (file: string): readonly string[] =>
  readFileSync(new URL(`data/${file}`, import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => /^[0-9]{5},/.test(line))
    .map((line) => line.slice(0, 5));

test('a commune that was merged whole leads to its successor exactly', () => {
  expect(currentPlace('00001', '2024')).toEqual({ currentCode: '00097', confidence: 'EXACT' });
  expect(findCommune('00097', '2025')).toMatchObject({ name: 'Phường Hồng Hà', provinceCode: '01' });
});

test('a commune that was divided leads to its main successor, and says so', () => {
  expect(currentPlace('00007', '2024')).toEqual({ currentCode: '00008', confidence: 'MAIN_TARGET' });
});

test('an unknown code stays unknown', () => {
  expect(currentPlace('99999', '2025')).toEqual({ currentCode: null, confidence: 'UNKNOWN' });
  expect(currentPlace('00001', '2025')).toEqual({ currentCode: null, confidence: 'UNKNOWN' });
  expect(listsWith('99999')).toEqual([]);
});

test('both codes of Ba Chẽ are the same commune', () => {
  expect(currentPlace('06970', '2025')).toEqual({ currentCode: '06978', confidence: 'EXACT' });
});

test('all 10,035 old communes lead to one of the 3,321 of today', () => {
  const now = codesIn('communes-34.csv');
  const before = codesIn('commune-old-to-new.csv');
  expect([now.length, before.length]).toEqual([3321, 10035]);
  for (const code of before) {
    const { currentCode, confidence } = currentPlace(code, '2024');
    expect(findCommune(currentCode ?? '', '2025')).not.toBeNull();
    expect(confidence).not.toBe('UNKNOWN');
  }
  for (const code of now) expect(currentPlace(code, '2025')).toEqual({ currentCode: code, confidence: 'EXACT' });
  expect(listsWith('00004')).toEqual(['2024', '2025']);
});

test('a province of today has its communes, and knows those they came from', () => {
  expect(communesOf('52')).toHaveLength(135);
  expect(oldCommunesOf('52').some(({ provinceCode }) => provinceCode === '64')).toBe(true);
});

test('no line of the lists is quoted', () => {
  for (const file of ['communes-34.csv', 'commune-old-to-new.csv']) {
    const text = readFileSync(new URL(`data/${file}`, import.meta.url), 'utf8');
    expect(text.split('\n').filter((line) => !line.startsWith('#') && line.includes('"'))).toEqual([]);
  }
});
