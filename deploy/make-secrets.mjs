/*
 * node deploy/make-secrets.mjs [FOLDER]: makes the secrets that docker-compose.yml asks for, each process its own and no more.
 * Files that exist are left alone, so that it can be run again; the key of the identifiers must never change.
 */
import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = process.argv[2] ?? join(dirname(fileURLToPath(import.meta.url)), 'secrets');
const host = process.env.HUB_DATABASE_HOST ?? 'postgres:5432';
mkdirSync(folder, { recursive: true, mode: 0o700 });

const path = (name) => join(folder, name);
const password = () => randomBytes(24).toString('base64url');

function keep(name, make) {
  if (!existsSync(path(name))) {
    // The containers' user is another than the one who runs this: the folder is closed, the files in it are not.
    writeFileSync(path(name), make(), { mode: 0o644 });
    process.stdout.write(`${path(name)}\n`);
  }
  return readFileSync(path(name), 'utf8');
}

keep('postgres-password', password);
const owner = keep('owner-password', password);
keep('owner-url', () => `postgresql://hub_owner:${owner}@${host}/hub`);
const redis = keep('redis-password', password);
keep('redis-url', () => `redis://:${redis}@redis:6379`);
keep('identifier-key', () => randomBytes(32).toString('hex'));

const names = ['citizens', 'insurance', 'results', 'slips', 'organisation', 'reader', 'auditor', 'worker', 'sealer'];
const roles = JSON.parse(
  keep('roles.json', () => {
    const urls = names.map((name) => [name, `postgresql://hub_${name}:${password()}@${host}/hub`]);
    return `${JSON.stringify(Object.fromEntries(urls), null, 2)}\n`;
  }),
);
const some = (...of) => JSON.stringify(Object.fromEntries(of.map((name) => [name, roles[name]])));
for (const name of ['citizens', 'insurance', 'results', 'slips']) keep(`roles-${name}.json`, () => some(name));
keep('roles-organisation.json', () => some('organisation', 'auditor'));
keep('roles-worker.json', () => some('citizens', 'insurance', 'results', 'slips', 'organisation', 'auditor', 'worker', 'sealer'));

const secret = JSON.parse(
  keep('hop-key.json', () => {
    const { x, d } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
    return JSON.stringify({ kty: 'OKP', crv: 'Ed25519', kid: `hop-${randomUUID()}`, x, d });
  }),
);
keep('audit-key.json', () => {
  const { x, d } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  return JSON.stringify({ kty: 'OKP', crv: 'Ed25519', kid: `audit-${randomUUID()}`, x, d });
});
keep('hop-public-keys.json', () => JSON.stringify([{ kty: secret.kty, crv: secret.crv, kid: secret.kid, x: secret.x }]));
