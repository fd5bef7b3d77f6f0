import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, escapeLiteral } from 'pg';
import { parse } from 'yaml';
import { makeDataDir } from '../../cli/data-dir.ts';
import { usePostgres, type PostgresUse } from '../../cli/postgres.ts';
import { checkout } from '../kit/hub.ts';

/*
 * The processes of docker-compose.yml, with its commands, settings and secrets, each knowing no more than its own; without
 * containers, which a test machine need not have.
 */

interface Service {
  readonly image: string;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly secrets?: readonly string[];
}
interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
}

const compose = parse(readFileSync(join(checkout, 'docker-compose.yml'), 'utf8'), { merge: true }) as Compose;
const ours = Object.entries(compose.services).filter(([, { image }]) => image === 'lien-thong');
const publicUrl = 'https://hub.example';
const folder = mkdtempSync(join(tmpdir(), 'lien-thong-deployment-'));
const secrets = join(folder, 'secrets');
const ports = new Map<string, number>();
const running = new Map<string, ChildProcess>();
let postgres: PostgresUse;
let said = '';

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const at = probe.address();
  probe.close();
  await once(probe, 'close');
  return typeof at === 'object' && at !== null ? at.port : 0;
}

/** What the container would find, at this machine's addresses. */
function environmentOf(name: string, { environment, secrets: given = [] }: Service): Record<string, string> {
  const env: Record<string, string> = {
    PATH: process.env.PATH ?? '',
    NODE_COMPILE_CACHE: join(checkout, 'node_modules', '.cache', 'lien-thong'),
  };
  for (const [variable, value] of Object.entries(environment)) {
    const secret = /^\/run\/secrets\/(.+)$/.exec(value)?.[1];
    if (secret !== undefined) {
      if (!given.includes(secret)) throw new Error(`${name} is not given the secret ${secret}`);
      env[variable] = join(secrets, compose.secrets[secret]!.file.replace('deploy/secrets/', ''));
    } else {
      env[variable] = value
        .replace(/^\$\{HUB_PUBLIC_URL.*\}$/, publicUrl)
        .replace(/^\$\{\w+:-(.*)\}$/, '$1')
        .replaceAll(/http:\/\/(\w+):4100/g, (_, subgraph: string) => `http://127.0.0.1:${String(ports.get(subgraph))}`);
    }
  }
  if (env.HUB_INNER_PORT !== undefined)
    Object.assign(env, { HUB_INNER_HOST: '127.0.0.1', HUB_INNER_PORT: String(ports.get(name)) });
  if (env.PORT !== undefined) Object.assign(env, { HOST: '127.0.0.1', PORT: String(ports.get(name)), FILES_PORT: '0' });
  if (env.HUB_AUDIT_HEADS_DIR !== undefined) env.HUB_AUDIT_HEADS_DIR = join(folder, 'audit-heads');
  if (env.HUB_FILES_DIR !== undefined) env.HUB_FILES_DIR = join(folder, 'files');
  if (env.HUB_DATA_DIR !== undefined) env.HUB_DATA_DIR = join(folder, name);
  return env;
}

function start(name: string, service: Service, more: Readonly<Record<string, string>> = {}): ChildProcess {
  const [, ...args] = service.command[0] === 'node' ? service.command : ['node', 'cli/prepare.ts'];
  const child = spawn(process.execPath, args, {
    cwd: checkout,
    env: { ...environmentOf(name, service), ...more },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const hear = (chunk: Buffer) => (said += chunk.toString());
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  return child;
}

function get(port: number, path: string, host: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, headers: { host }, timeout: 3_000 }, (answer) => {
      let body = '';
      answer.on('data', (chunk: Buffer) => (body += chunk.toString()));
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body }));
    });
    asked.on('error', reject);
    asked.end();
  });
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const began = performance.now(); !(await holds().catch(() => false));) {
    if (performance.now() - began > 30_000) throw new Error(`not within 30 s:\n${said}`);
    await sleep(100);
  }
}

beforeAll(async () => {
  makeDataDir(join(folder, 'postgres'));
  postgres = await usePostgres(join(folder, 'postgres'), AbortSignal.timeout(60_000));
  execFileSync(process.execPath, [join(checkout, 'deploy', 'make-secrets.mjs'), secrets], {
    env: { ...process.env, HUB_DATABASE_HOST: `127.0.0.1:${postgres.port}` },
  });
  const owner = new Client({ connectionString: postgres.ownerUrl });
  await owner.connect();
  await owner.query(`alter role hub_owner password ${escapeLiteral(readFileSync(join(secrets, 'owner-password'), 'utf8'))}`);
  await owner.end();
  for (const [name] of ours) ports.set(name, await freePort());
}, 90_000);

afterAll(async () => {
  for (const child of running.values()) child.kill('SIGKILL');
  await postgres.leave();
  rmSync(folder, { recursive: true, force: true });
});

test('the containers of the hub come up in their order, each with its own secrets only', async () => {
  const migrate = compose.services.migrate!;
  mkdirSync(join(folder, 'migrate'));
  cpSync(join(secrets, 'roles.json'), join(folder, 'migrate', 'roles.json'));
  const [code] = (await once(start('migrate', migrate), 'close')) as [number];
  expect([code, said]).toEqual([0, '']);
  for (const [name, service] of ours) {
    if (name === 'migrate' || name === 'gateway') continue;
    running.set(name, start(name, service));
  }
  for (const name of ['citizens', 'insurance', 'results', 'slips', 'organisation']) {
    await until(async () => (await get(ports.get(name)!, '/', 'x')).status === 401);
  }
  await until(async () => (await get(ports.get('worker')!, '/metrics', 'x')).status === 200);
  running.set('gateway', start('gateway', compose.services.gateway!));
  const gateway = ports.get('gateway')!;
  await until(async () => (await get(gateway, '/health/live', 'x')).status === 200);
  await until(async () => (await get(gateway, '/health/ready', 'x')).status === 200);
  const discovery = await get(gateway, '/.well-known/openid-configuration', new URL(publicUrl).host);
  expect(JSON.parse(discovery.body)).toMatchObject({ issuer: publicUrl });
  expect((await get(gateway, '/graphql', 'evil.example')).status).toBe(421);
}, 90_000);

test('every process ends within ten seconds of SIGTERM', async () => {
  const began = performance.now();
  await Promise.all(
    [...running.values()].map(async (child) => {
      child.kill('SIGTERM');
      await once(child, 'close');
      expect(child.exitCode).toBe(0);
    }),
  );
  running.clear();
  expect(performance.now() - began).toBeLessThan(10_000);
});

test('no process knows more secrets than its own, and only the migration knows the owner', () => {
  for (const [name, { secrets: given = [] }] of ours) {
    expect([name, given.includes('owner-url')]).toEqual([name, name === 'migrate']);
    expect([name, given.includes('roles')]).toEqual([name, name === 'migrate']);
    expect([name, given.includes('hop-key')]).toEqual([name, name === 'gateway']);
    expect([name, given.includes('audit-key')]).toEqual([name, name === 'worker']);
    expect(given.filter((secret) => secret.startsWith('roles-'))).toEqual(
      name === 'migrate' || name === 'gateway' ? [] : [`roles-${name}`],
    );
  }
});

test.each([
  ['the demonstration', { HUB_DEMO: '1' }, 'HUB_DEMO must not be 1 in production'],
  ['the owner of the database', { DATABASE_URL: 'postgresql://hub_owner:x8Kq1@db/hub' }, 'DATABASE_URL must not be given'],
  ['an address without TLS', { HUB_PUBLIC_URL: 'http://hub.example' }, 'HUB_PUBLIC_URL must be https'],
])('a container refuses %s', async (_, more, text) => {
  said = '';
  const [code] = (await once(start('gateway', compose.services.gateway!, more), 'close')) as [number];
  expect(code).toBe(2);
  expect(said).toContain(text);
});
