import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, escapeIdentifier, escapeLiteral } from 'pg';
import { hubMigrations } from '#kernel/db/migrations/index.ts';
import { runMigrations, type SchemaMigrations } from '#kernel/db/migrator.ts';
import { migrateQueue } from '#kernel/jobs/queue-schema.ts';
import { hubRoles, parseRoleUrls, urlFor, type HubRole, type RoleUrls } from '#kernel/db/roles.ts';
import { citizensMigrations } from './citizens/migrations/index.ts';
import { functionGrants, outboxConsumers, privilegeOf, roleSettings, sequenceGrants, tableGrants } from './grants.ts';
import { insuranceMigrations } from './insurance/migrations/index.ts';
import { organisationMigrations } from './organisation/migrations/index.ts';
import { resultsMigrations } from './results/migrations/index.ts';
import { slipsMigrations } from './slips/migrations/index.ts';

export interface MigrateOptions {
  /** Owner of the tables: may create roles and create in the database, is no superuser. */
  readonly ownerUrl: string;
  /** Where `roles.json` lies. */
  readonly dataDir: string;
  /** Roles are named `<prefix>_citizens`, …; two hubs on one server need two prefixes. Default "hub". */
  readonly rolePrefix?: string;
}

export const schemas: readonly SchemaMigrations[] = [
  hubMigrations,
  citizensMigrations,
  insuranceMigrations,
  resultsMigrations,
  slipsMigrations,
  organisationMigrations,
];

/** Waits this long for another migration of the same database, in milliseconds. */
const patience = 120_000;

/**
 * Brings the database to this version: schemas, roles, rights, partitions of the audit, and the addresses of the roles in
 * `roles.json`. Safe to repeat and beside a twin (one waits for the other); changes nothing when nothing is missing. A migration
 * that fails leaves its schema as it was.
 */
export async function migrate({ ownerUrl, dataDir, rolePrefix = 'hub' }: MigrateOptions): Promise<void> {
  const owner = new Client({ connectionString: ownerUrl, application_name: 'hub migrate' });
  await owner.connect();
  try {
    await refuseUnfitOwner(owner);
    await owner.query(`set lock_timeout = ${String(patience)}`);
    await owner.query(`select pg_advisory_lock(hashtextextended('hub.migrate', 0))`);
    const urls = await makeRoles(owner, ownerUrl, dataDir, rolePrefix);
    const ran = await runMigrations(ownerUrl, schemas);
    await giveRights(owner, rolePrefix, ran.length > 0);
    await migrateQueue(owner, `${rolePrefix}_worker`);
    await owner.query('select hub.make_audit_partitions(), hub.excuse_sealer()');
    await writeRoles(dataDir, urls);
  } finally {
    await owner.end();
  }
}

async function refuseUnfitOwner(owner: Client): Promise<void> {
  const { rows } = await owner.query<{ version: number; fit: boolean; utf8: boolean; forgetful: string | null }>(`
    select current_setting('server_version_num')::int as version, not (rolsuper or rolbypassrls) and rolcreaterole as fit,
      current_setting('server_encoding') = 'UTF8' as utf8,
      (select string_agg(name, ', ') from pg_settings where name in ('fsync', 'full_page_writes', 'synchronous_commit') and setting = 'off')
        as forgetful
    from pg_roles where rolname = current_user`);
  const found = rows[0];
  if (found === undefined || found.version < 180_000)
    throw new Error('The hub needs PostgreSQL 18 or later. Point DATABASE_URL at one.');
  if (!found.utf8) throw new Error('The database is not in UTF8. Create it with encoding UTF8.');
  if (found.forgetful !== null) {
    throw new Error(
      `PostgreSQL runs with ${found.forgetful} off and would lose acknowledged changes in a crash. Set it to "on".`,
    );
  }
  if (!found.fit) {
    throw new Error(
      'The owner in DATABASE_URL must be able to create roles, and must be no superuser and not bypass row policies. ' +
        'As administrator: CREATE ROLE hub_owner LOGIN CREATEROLE PASSWORD …; CREATE DATABASE hub OWNER hub_owner.',
    );
  }
}

/** Makes the missing logins, with the passwords that are written down (or were given); where none is, with a new one. */
async function makeRoles(owner: Client, ownerUrl: string, dataDir: string, prefix: string): Promise<RoleUrls> {
  const known = await knownPasswords(dataDir);
  // A server that was restored from elsewhere has the roles, but not with these passwords.
  const valid = known.size > 0 && (await opens(urlFor(ownerUrl, `${prefix}_reader`, known.get('reader') ?? '')));
  const { rows } = await owner.query<{ name: string; database: string | null; here: string }>(
    `select rolname as name, shobj_description(oid, 'pg_authid') as database, current_database() as here
     from pg_roles where rolname = any ($1)`,
    [hubRoles.map((role) => `${prefix}_${role}`)],
  );
  const existing = new Map(rows.map((row) => [row.name, row]));
  const urls = new Map<HubRole, string>();
  for (const role of hubRoles) {
    const name = `${prefix}_${role}`;
    const login = escapeIdentifier(name);
    const found = existing.get(name);
    const password = known.get(role) ?? randomBytes(24).toString('base64url');
    const url = urlFor(ownerUrl, name, password);
    urls.set(role, url);
    if (found === undefined) {
      await owner.query(
        `create role ${login} login nosuperuser nocreatedb nocreaterole noinherit nobypassrls password ${escapeLiteral(password)}`,
      );
      const { rows: here } = await owner.query<{ text: string }>(`select 'hub database ' || current_database() as text`);
      await owner.query(`comment on role ${login} is ${escapeLiteral(here[0]?.text ?? '')}`);
      for (const [setting, value] of Object.entries(roleSettings[role])) {
        await owner.query(`alter role ${login} set ${setting} = ${escapeLiteral(value)}`);
      }
    } else if (found.database !== `hub database ${found.here}`) {
      throw new Error(
        `The role "${name}" belongs to "${found.database ?? 'something else'}" on this server. Give this hub another role prefix.`,
      );
    } else if (!valid) {
      await owner.query(`alter role ${login} password ${escapeLiteral(password)}`);
    }
  }
  return parseRoleUrls(JSON.stringify(Object.fromEntries(urls)));
}

/** False only when the server refuses login and password; whatever else is wrong is not answered by new passwords. */
async function opens(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, application_name: 'hub migrate', connectionTimeoutMillis: 5_000 });
  try {
    await client.connect();
    return true;
  } catch (error) {
    const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
    return code !== '28P01' && code !== '28000';
  } finally {
    await client.end();
  }
}

async function knownPasswords(dataDir: string): Promise<ReadonlyMap<HubRole, string>> {
  const text = await readFile(rolesFile(dataDir), 'utf8').catch((error: unknown) => {
    if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return new Map();
  const urls = parseRoleUrls(text);
  return new Map(hubRoles.map((role) => [role, decodeURIComponent(new URL(urls[role]).password)]));
}

/** Takes all rights away and gives those of `grants.ts`, in one transaction; nothing to do when they stand there already. */
async function giveRights(owner: Client, prefix: string, changed: boolean): Promise<void> {
  const wanted = [...rights(prefix)];
  const mark = `rights ${createHash('sha256').update(wanted.join(';')).digest('hex')}`;
  const { rows } = await owner.query<{ mark: string | null }>(
    `select obj_description('hub'::regnamespace, 'pg_namespace') as mark`,
  );
  if (!changed && rows[0]?.mark === mark) return;
  await owner.query('begin');
  try {
    for (const statement of wanted) await owner.query(statement);
    await owner.query(`comment on schema hub is ${escapeLiteral(mark)}`);
    await owner.query('commit');
  } catch (error) {
    await owner.query('rollback');
    throw error;
  }
}

function* rights(prefix: string): Generator<string> {
  const login = (role: HubRole): string => escapeIdentifier(`${prefix}_${role}`);
  const all = hubRoles.map(login).join(', ');
  const names = schemas.map(({ schema }) => schema);
  const list = names.join(', ');
  for (const kind of ['tables', 'sequences', 'functions'])
    yield `revoke all on all ${kind} in schema ${list} from public, ${all}`;
  yield `revoke all on schema ${list} from public, ${all}`;
  yield `revoke create on schema public from public, ${all}`;
  const usage = new Map<string, Set<HubRole>>(names.map((name) => [name, new Set()]));
  for (const [table, grants] of Object.entries(tableGrants)) {
    for (const role of hubRoles) {
      for (const grant of grants[role] ?? []) {
        const { privilege, columns } = privilegeOf(grant);
        yield `grant ${privilege}${columns === null ? '' : ` (${columns.join(', ')})`} on ${table} to ${login(role)}`;
        usage.get(table.slice(0, table.indexOf('.')))?.add(role);
      }
    }
  }
  for (const [signature, to] of Object.entries(functionGrants)) {
    yield `grant execute on function ${signature} to ${to.map(login).join(', ')}`;
    for (const role of to) usage.get('hub')?.add(role);
  }
  for (const [sequence, to] of Object.entries(sequenceGrants))
    yield `grant usage on sequence ${sequence} to ${to.map(login).join(', ')}`;
  for (const [schema, who] of usage) yield `grant usage on schema ${schema} to ${[...who].map(login).join(', ')}`;
  for (const [consumer, { role, kinds }] of Object.entries(outboxConsumers)) {
    yield `insert into hub.outbox_consumer (consumer, role, kinds)
      values (${escapeLiteral(consumer)}, ${escapeLiteral(`${prefix}_${role}`)}, ${escapeLiteral(`{${kinds.join(',')}}`)})
      on conflict (consumer) do update set role = excluded.role, kinds = excluded.kinds`;
  }
}

function rolesFile(dataDir: string): string {
  return join(dataDir, 'roles.json');
}

/** Replaces the file in one step, readable by its owner alone; a reader sees the old or the new one, never half of it. */
async function writeRoles(dataDir: string, urls: RoleUrls): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const target = rolesFile(dataDir);
  const text = `${JSON.stringify(urls, null, 2)}\n`;
  if ((await readFile(target, 'utf8').catch(() => null)) === text) return;
  const temporary = `${target}.${randomBytes(6).toString('hex')}`;
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, target);
}
