import { expect, test } from '@jest/globals';
import { catalogue } from './config-catalogue.ts';
import { namesGiven, settingsInForce } from './config-in-force.ts';

const names = Object.keys(catalogue);
const secrets = Object.entries(catalogue).flatMap(([name, entry]) => ('secret' in entry ? [name] : []));
const found = (env: Record<string, string>, name: string) => settingsInForce(env).find((setting) => setting.name === name);

test('no secret ever appears, however it was given, nor what an address hides', () => {
  expect(secrets.length).toBeGreaterThan(5);
  const env = Object.fromEntries(
    names.map((name) => [
      name,
      secrets.includes(name) ? `giữ-kín-${name}` : `https://ai:giu-kin@may.example/x?khoa=giu-kin#giu-kin`,
    ]),
  );
  const files = Object.fromEntries(secrets.map((name) => [`${name}_FILE`, `/run/giữ-kín/${name}`]));
  for (const given of [env, files, { ...env, ...files }, { ...env, HUB_GIVEN: names.join(',') }, { ...env, HUB_GIVEN: '' }]) {
    const shown = settingsInForce(given);
    expect(JSON.stringify(shown)).not.toMatch(/giữ-kín|giu-kin/);
    expect(shown.map(({ name }) => name)).toEqual(names);
    for (const { name, secret, value } of shown)
      expect([name, secret, secret ? value : null]).toEqual([name, secrets.includes(name), null]);
  }
  expect(found(env, 'POPULATION_URL')?.value).toBe('https://…@may.example/x?…');
  const list = '[{"issuer":"https://a:giu-kin@id.example","jwksUri":"https://id.example/k?t=giu-kin"}]';
  expect(found({ HUB_TRUSTED_ISSUERS: list }, 'HUB_TRUSTED_ISSUERS')?.value).toBe(
    '[{"issuer":"https://…@id.example","jwksUri":"https://id.example/k?…"}]',
  );
});

test('each says where it came from: the operator, a file, the start, the default, or another process', () => {
  const operator = { PORT: '4100', DATABASE_URL: 'postgresql://x', HUB_AUDIT_KEY_FILE: '/k', HUB_LOG_LEVEL: ' ' };
  const given = namesGiven(operator);
  expect(given.split(',').sort()).toEqual(['DATABASE_URL', 'HUB_AUDIT_KEY_FILE', 'PORT']);
  const env = { PORT: '4100', HUB_DATA_DIR: '/srv/hub', HUB_GIVEN: given };
  const origin = (name: string, where: Record<string, string> = env) => [found(where, name)?.value, found(where, name)?.origin];
  expect(origin('PORT')).toEqual(['4100', 'ENVIRONMENT']);
  expect(origin('HUB_DATA_DIR')).toEqual(['/srv/hub', 'START']);
  expect([origin('HOST'), origin('HUB_KEEP_OUTBOX_DAYS'), origin('HUB_LOGIN_ISSUER')]).toEqual([
    ['127.0.0.1', 'DEFAULT'],
    ['7', 'DEFAULT'],
    [null, 'DEFAULT'],
  ]);
  expect([origin('DATABASE_URL'), origin('HUB_AUDIT_KEY')]).toEqual([
    [null, 'ELSEWHERE'],
    [null, 'ELSEWHERE'],
  ]);
  expect(origin('HUB_BACKUP_KEY')).toEqual([null, 'DEFAULT']);
  // In containers nobody tells a process what the others have.
  expect(origin('DATABASE_URL', {})).toEqual([null, 'ELSEWHERE']);
  expect(origin('HUB_HOP_KEY', { HUB_HOP_KEY_FILE: '/k' })).toEqual([null, 'FILE']);
});
