import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Client, escapeIdentifier } from 'pg';
import { hubRoles, parseRoleUrls, type RoleUrls } from '#kernel/db/roles.ts';
import { keeperAddress, type KeptServer } from './postgres-keeper-address.ts';
import { migrate } from '../../subgraphs/migrate.ts';

/** A database of its own for one test file: migrated, empty, with the logins of the hub's roles. */
export interface TestDatabase {
  readonly name: string;
  /** Owner of the tables; no superuser, bound by the row policies. */
  readonly ownerUrl: string;
  readonly roles: RoleUrls;
  /** Drops the database, whoever is still connected. */
  close(): Promise<void>;
}

export interface TestServer {
  /** May create databases and roles, is no superuser. */
  readonly ownerUrl: string;
  /** Superuser; `null` on a server that was given to us. */
  readonly administratorUrl: string | null;
  /** For what belongs to this server: the roles of each migrated template. */
  readonly directory: string;
}

let found: Promise<TestServer> | null = null;

/** The PostgreSQL of this test run: the one named by `TEST_DATABASE_URL`, else one that all test processes of this checkout share. */
export function testServer(): Promise<TestServer> {
  found ??= findServer();
  return found;
}

async function findServer(): Promise<TestServer> {
  const given = process.env.TEST_DATABASE_URL;
  if (given === undefined || given === '') return keptServer();
  const directory = join(tmpdir(), `lien-thong-test-${createHash('sha256').update(given).digest('hex').slice(0, 12)}`);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  return { ownerUrl: given, administratorUrl: null, directory };
}

async function keptServer(): Promise<KeptServer> {
  const deadline = Date.now() + 60_000;
  let started = false;
  for (;;) {
    const socket = await knock();
    const server = socket === null ? null : await firstLine(socket);
    if (server !== null) return server;
    if (!started) {
      started = true;
      // Detached: it outlives us as long as others need it, and no Ctrl-C reaches it.
      const keeper = fileURLToPath(new URL('postgres-keeper.ts', import.meta.url));
      spawn(process.execPath, [keeper], { detached: true, stdio: 'ignore' }).unref();
    }
    if (Date.now() > deadline)
      throw new Error('PostgreSQL for tests did not start within 60 s. Run test/kit/postgres-keeper.ts by hand to see why.');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function knock(): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = connect({ path: keeperAddress });
    socket.once('connect', () => {
      resolve(socket);
    });
    socket.once('error', () => {
      resolve(null);
    });
  });
}

/** The socket stays open for as long as this process lives: that is what keeps the server. */
async function firstLine(socket: Socket): Promise<KeptServer | null> {
  for await (const line of createInterface({ input: socket })) {
    socket.unref();
    return JSON.parse(line) as KeptServer;
  }
  return null;
}

/** Clones the migrated template, which the first caller makes. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = await testServer();
  const { template, roles } = await migratedTemplate(server);
  const name = `test_${randomBytes(6).toString('hex')}`;
  const owner = new Client({ connectionString: server.ownerUrl });
  await owner.connect();
  try {
    await owner.query(`create database ${escapeIdentifier(name)} template ${escapeIdentifier(template)}`);
  } finally {
    await owner.end();
  }
  await sealerOfNow(onDatabase(server.ownerUrl, name));
  return {
    name,
    ownerUrl: onDatabase(server.ownerUrl, name),
    roles: parseRoleUrls(JSON.stringify(Object.fromEntries(hubRoles.map((role) => [role, onDatabase(roles[role], name)])))),
    close: () => dropDatabase(server, name),
  };
}

/** A template may be older than the time for which an unsealed audit is borne. */
async function sealerOfNow(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('update hub.audit_sealer set passed_at = clock_timestamp()');
  } finally {
    await client.end();
  }
}

/** A connection of another role that is still going down cannot be ended by everyone: then a little later. */
async function dropDatabase(server: TestServer, name: string): Promise<void> {
  const client = new Client({ connectionString: server.administratorUrl ?? server.ownerUrl });
  await client.connect();
  try {
    for (let tries = 1; ; tries += 1) {
      try {
        await client.query(`drop database if exists ${escapeIdentifier(name)} with (force)`);
        return;
      } catch (error) {
        const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
        if ((code !== '42501' && code !== '55006') || tries === 20) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  } finally {
    await client.end();
  }
}

/** The same server and login on another database. */
export function onDatabase(url: string, database: string): string {
  const other = new URL(url);
  other.pathname = `/${database}`;
  return other.href;
}

/** One template per state of the migrations, with roles of its own: an edited migration never meets yesterday's template. */
async function migratedTemplate(server: TestServer): Promise<{ template: string; roles: RoleUrls }> {
  const mark = (await fingerprint()).slice(0, 10);
  const template = `template_${mark}`;
  const dataDir = join(server.directory, template);
  const client = new Client({ connectionString: server.ownerUrl });
  await client.connect();
  try {
    await client.query(`select pg_advisory_lock(hashtextextended($1, 0))`, [template]);
    const { rows } = await client.query<{ complete: boolean }>(
      `select datistemplate as complete from pg_database where datname = $1`,
      [template],
    );
    const roles = await readFile(join(dataDir, 'roles.json'), 'utf8').catch(() => null);
    if (rows[0]?.complete === true && roles !== null) return { template, roles: parseRoleUrls(roles) };
    if (rows[0] !== undefined) await client.query(`alter database ${escapeIdentifier(template)} is_template false`);
    await client.query(`drop database if exists ${escapeIdentifier(template)} with (force)`);
    await client.query(`create database ${escapeIdentifier(template)}`);
    await migrate({ ownerUrl: onDatabase(server.ownerUrl, template), dataDir, rolePrefix: `test_${mark}` });
    await client.query(`alter database ${escapeIdentifier(template)} is_template true`);
    return { template, roles: parseRoleUrls(await readFile(join(dataDir, 'roles.json'), 'utf8')) };
  } finally {
    await client.end();
  }
}

async function fingerprint(): Promise<string> {
  const root = new URL('../../', import.meta.url);
  const folders = [
    'kernel/db/',
    ...['citizens', 'insurance', 'results', 'slips', 'organisation'].map((name) => `subgraphs/${name}/`),
  ];
  const files = ['subgraphs/grants.ts', 'subgraphs/migrate.ts', 'kernel/db/roles.ts', 'kernel/jobs/queue-schema.ts'];
  for (const folder of folders) {
    const migrations = new URL(`${folder}migrations/`, root);
    for (const file of (await readdir(migrations)).sort()) files.push(`${folder}migrations/${file}`);
  }
  const hash = createHash('sha256');
  for (const file of files) hash.update(file).update(await readFile(new URL(file, root)));
  return hash.digest('hex');
}
