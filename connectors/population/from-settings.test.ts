import { expect, test } from '@jest/globals';
import { readSettings, type Settings } from '#kernel/config.ts';
import { populationFromSettings, refuseWithoutAsker } from './from-settings.ts';

const secure = { HUB_IDENTIFIER_KEY: '0123456789abcdef'.repeat(4), HUB_PUBLIC_URL: 'https://hub.example' };
const asker = {
  POPULATION_USER: 'so-y-te',
  POPULATION_SECRET: 'x9',
  POPULATION_OFFICER: 'CB01',
  POPULATION_UNIT: 'H52',
  POPULATION_PROCEDURE: '1.012345',
};

function read(env: Readonly<Record<string, string>>, reader: 'operator' | 'serving' = 'serving') {
  return readSettings(env, reader, '/nowhere');
}
function settings(env: Readonly<Record<string, string>>): Settings {
  const found = read(env);
  if (!found.ok) throw new Error(JSON.stringify(found.error));
  return found.value;
}

test('in production a start without officer, unit, procedure or account is refused, all of them named', () => {
  const production = { NODE_ENV: 'production', POPULATION_URL: 'https://population.example/', ...secure };
  const refused = read(production, 'operator');
  const names = refused.ok ? [] : refused.error.map(({ name }) => name);
  expect(names.filter((name) => name.startsWith('POPULATION_')).sort()).toEqual(Object.keys(asker).sort());
  expect(() => {
    refuseWithoutAsker(settings({ ...production, ...asker, POPULATION_UNIT: '' }));
  }).toThrow('POPULATION_UNIT');
  expect(() => {
    refuseWithoutAsker(settings({ ...production, ...asker }));
  }).not.toThrow();
});

test('in production its address is https', () => {
  const refused = read({ NODE_ENV: 'production', POPULATION_URL: 'http://population.example/', ...secure, ...asker });
  expect(refused.ok ? [] : refused.error.map(({ name }) => name)).toEqual(['POPULATION_URL']);
});

test('without an address there is nobody to ask', () => {
  expect(populationFromSettings(settings({}))).toBeNull();
});

test('outside production the simulator’s own words are used where none are set', async () => {
  const connection = populationFromSettings(settings({ POPULATION_URL: 'http://127.0.0.1:1/', POPULATION_OFFICER: 'CB77' }));
  expect(connection?.asker('steward-1')).toEqual({ account: 'steward-1', officer: 'CB77', unit: 'H52', procedure: '1.000000' });
  await connection?.database.close();
});
