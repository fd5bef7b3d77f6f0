import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { catalogue } from './config-catalogue.ts';
import { problemsText, readSettings, type SettingProblem, type Settings } from './config.ts';

type Environment = Readonly<Record<string, string | undefined>>;

function read(env: Environment, reader: 'operator' | 'serving' = 'operator'): Settings {
  const result = readSettings(env, reader, '/srv/hub');
  if (!result.ok) throw new Error(problemsText(result.error));
  return result.value;
}

function problems(env: Environment, reader: 'operator' | 'serving' = 'operator'): readonly SettingProblem[] {
  const result = readSettings(env, reader, '/srv/hub');
  return result.ok ? [] : result.error;
}

const names = (found: readonly SettingProblem[]) => found.map(({ name }) => name);

test('without any setting the hub runs on loopback, in one process, with the demo world', () => {
  expect(read({})).toMatchObject({
    production: false,
    host: '127.0.0.1',
    port: 4000,
    filesPort: 4001,
    dataDir: '/srv/hub/.data',
    rolesFile: '/srv/hub/.data/roles.json',
    databaseUrl: null,
    redisUrl: null,
    processes: 'one',
    demo: true,
    demoSeed: 7,
  });
});

test('an empty variable counts as not given', () => {
  expect(read({ PORT: '', DATABASE_URL: ' ', HUB_DEMO: '' })).toEqual(read({}));
});

test('every mistake is told at once, in both languages, with the name of its setting', () => {
  const found = problems({
    PORT: 'four thousand',
    FILES_PORT: '70000',
    HUB_PROCESSES: 'both',
    HUB_DEMO: 'perhaps',
    DATABASE_URL: 'mysql://x',
    HUB_TRUSTED_ISSUERS: '{}',
  });
  expect(new Set(names(found))).toEqual(
    new Set(['PORT', 'FILES_PORT', 'HUB_PROCESSES', 'HUB_DEMO', 'DATABASE_URL', 'HUB_TRUSTED_ISSUERS']),
  );
  const text = problemsText(found);
  expect(text).toContain('PORT "four thousand" is not a port from 0 to 65535');
  expect(text).toContain('PORT "four thousand" không phải là một cổng từ 0 đến 65535');
});

test('a mistake in one setting does not hide a contradiction between two others', () => {
  expect(names(problems({ HUB_DEMO: '2', PORT: '4000', FILES_PORT: '4000' }))).toEqual(['HUB_DEMO', 'FILES_PORT']);
  expect(names(problems({ PORT: '65535' }))).toEqual(['FILES_PORT']);
});

test('the value of a secret is never in the text of a mistake', () => {
  for (const [name, entry] of Object.entries(catalogue)) {
    if (!('secret' in entry)) continue;
    const text = problemsText(problems({ [name]: 'hunter2 is no such thing' }));
    expect(text).toContain(name);
    expect(text).not.toContain('hunter2');
  }
});

test('a serving process refuses the address of the database owner', () => {
  const env = { DATABASE_URL: 'postgresql://owner:long-and-random@db/hub' };
  expect(names(problems(env, 'serving'))).toEqual(['DATABASE_URL']);
  expect(read(env).databaseUrl).toBe(env.DATABASE_URL);
});

test('production refuses demo data, and passwords that everybody knows', () => {
  const production = { NODE_ENV: 'production' };
  expect(read(production).demo).toBe(false);
  expect(names(problems({ ...production, HUB_DEMO: '1' }))).toEqual(['HUB_DEMO']);
  for (const password of ['postgres', 'change-me', 'lien-thong-demo', '']) {
    expect(names(problems({ ...production, DATABASE_URL: `postgresql://owner:${password}@db/hub` }))).toEqual(['DATABASE_URL']);
    expect(names(problems({ ...production, REDIS_URL: `redis://:${password}@queue` }))).toEqual(['REDIS_URL']);
  }
  expect(names(problems({ ...production, HUB_IDENTIFIER_KEY: '00'.repeat(32) }))).toEqual(['HUB_IDENTIFIER_KEY']);
  expect(names(problems({ ...production, HUB_PUBLIC_URL: 'http://hub.example' }))).toEqual(['HUB_PUBLIC_URL']);
});

test('subgraph addresses and trusted issuers are read into what they mean', () => {
  const settings = read({
    HUB_SUBGRAPHS: 'citizens=http://127.0.0.1:5001, insurance=http://127.0.0.1:5002',
    HUB_TRUSTED_ISSUERS: '[{"issuer":"https://id.example","jwksUri":"https://id.example/keys"}]',
  });
  expect(settings.subgraphs).toEqual({ citizens: 'http://127.0.0.1:5001', insurance: 'http://127.0.0.1:5002' });
  expect(settings.trustedIssuers).toEqual([
    { issuer: 'https://id.example', jwksUri: 'https://id.example/keys', claim: 'sub', names: 'account' },
  ]);
});

test('only whole numbers within the range are ports', () => {
  fc.assert(
    fc.property(fc.oneof(fc.integer({ min: -10, max: 80_000 }).map(String), fc.string()), (text) => {
      const good = /^\d{1,9}$/.test(text.trim()) && Number(text) <= 65_534;
      fc.pre(text.trim() !== '' && text.trim() !== '65535');
      expect(names(problems({ PORT: text, FILES_PORT: '65535' }))).toEqual(good ? [] : ['PORT']);
    }),
  );
});

test('no text of any setting makes the reading throw', () => {
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(catalogue)), fc.string(), fc.boolean(), (name, text, serving) => {
      readSettings({ [name]: text }, serving ? 'serving' : 'operator', '/srv/hub');
    }),
    { numRuns: 500 },
  );
});

test('trusted proxies are addresses and networks, never everybody', () => {
  expect(read({}).trustedProxies).toEqual([]);
  expect(read({ HUB_TRUSTED_PROXIES: '10.0.0.5, fd00::/8,172.16.0.0/12' }).trustedProxies).toEqual([
    '10.0.0.5',
    'fd00::/8',
    '172.16.0.0/12',
  ]);
  for (const wrong of ['0.0.0.0/0', '::/0', '10.0.0.0/33', 'true', 'proxy.example', '10.0.0.1,', '1']) {
    expect(names(problems({ HUB_TRUSTED_PROXIES: wrong }))).toEqual(['HUB_TRUSTED_PROXIES']);
  }
});

test('somebody can always come in: a way in is closed only where another one is open', () => {
  const told = (env: Record<string, string>): readonly string[] => {
    const settings = readSettings(env, 'serving', '/');
    return settings.ok ? [] : settings.error.map(({ name, en }) => `${name} ${en}`);
  };
  const outside = { HUB_LOGIN_ISSUER: 'https://id.example.vn', HUB_LOGIN_CLIENT: 'lien-thong' };
  const issuers = '[{"issuer":"https://id.example.vn","jwksUri":"https://id.example.vn/jwks","claim":"azp","names":"client"}]';
  expect(told({ HUB_OWN_ISSUER: 'machines' })).toEqual([
    'HUB_OWN_ISSUER must not be machines without HUB_LOGIN_ISSUER: nobody could log in',
  ]);
  expect(told({ HUB_OWN_ISSUER: 'none', ...outside })).toEqual([
    'HUB_OWN_ISSUER must not be none without HUB_TRUSTED_ISSUERS: no client could come in',
  ]);
  expect(told({ HUB_OWN_ISSUER: 'none', ...outside, HUB_TRUSTED_ISSUERS: issuers })).toEqual([]);
  expect(told({ HUB_OWN_ISSUER: 'machines', ...outside })).toEqual([]);
  expect(told({ HUB_LOGIN_ISSUER: 'https://id.example.vn' })).toEqual(['HUB_LOGIN_CLIENT is needed with HUB_LOGIN_ISSUER']);
  expect(told({ ...outside, HUB_PUBLIC_URL: 'https://id.example.vn/' })).toEqual(['HUB_LOGIN_ISSUER must not be the hub itself']);
  expect(told({ ...outside, NODE_ENV: 'production', HUB_LOGIN_ISSUER: 'http://id.example.vn' })).toEqual([
    'HUB_LOGIN_ISSUER must be https in production',
  ]);
});
