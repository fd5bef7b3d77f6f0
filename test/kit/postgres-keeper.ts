/*
 * Holds one PostgreSQL for all test processes of this checkout: a process that needs it connects to the keeper's socket and
 * stays connected; fifteen seconds after the last one is gone (also when it was killed) the keeper stops the server and removes
 * its files. A process of its own, started by postgres.ts.
 *
 * The data lie in memory where the machine allows it. Nothing is switched off for speed: tests run with fsync and
 * synchronous_commit as production does.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { access, chown, constants, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { postgresBinaries, runAs } from '../../cli/postgres-binaries.ts';
import { keeperAddress, type KeptServer } from './postgres-keeper-address.ts';

const idle = 15_000;

async function scratch(): Promise<string> {
  const memory = await access('/dev/shm', constants.W_OK).then(
    () => true,
    () => false,
  );
  return mkdtemp(join(memory ? '/dev/shm' : tmpdir(), 'lien-thong-test-'));
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('No free port.');
  return address.port;
}

async function start(directory: string): Promise<{ server: KeptServer; postgres: ChildProcess }> {
  const { initdb, postgres: binary } = postgresBinaries();
  const data = join(directory, 'data');
  const as = runAs(data);
  const user = { ...(as.uid === undefined ? {} : { uid: as.uid }), ...(as.gid === undefined ? {} : { gid: as.gid }) };
  const command = (program: string, options: readonly string[]): [string, string[]] => {
    const [first = program, ...rest] = [...as.prefix, program, ...options];
    return [first, rest];
  };
  const passwordFile = join(directory, 'password');
  const password = randomBytes(18).toString('base64url');
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (as.uid !== undefined && as.gid !== undefined) {
    for (const path of [directory, passwordFile]) await chown(path, as.uid, as.gid);
  }
  await promisify(execFile)(
    ...command(initdb, [
      `--pgdata=${data}`,
      '--username=administrator',
      '--auth=scram-sha-256',
      `--pwfile=${passwordFile}`,
      '--encoding=UTF8',
      '--locale=C.UTF-8',
      '--locale-provider=icu',
      '--icu-locale=vi',
      '--no-sync',
    ]),
    user,
  );
  await rm(passwordFile);
  const port = await freePort();
  const log = await open(join(directory, 'postgres.log'), 'a');
  const settings = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    max_connections: '300',
    shared_buffers: '256MB',
    max_wal_size: '2GB',
    timezone: 'UTC',
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const postgres = spawn(...command(binary, ['-D', data, ...flags]), { ...user, stdio: ['ignore', log.fd, log.fd] });
  await log.close();
  const administratorUrl = `postgresql://administrator:${password}@127.0.0.1:${String(port)}/postgres`;
  await reachable(administratorUrl, postgres);
  const ownerPassword = randomBytes(18).toString('base64url');
  const client = new Client({ connectionString: administratorUrl });
  await client.connect();
  await client.query(`create role test_owner login createrole createdb in role pg_signal_backend password '${ownerPassword}'`);
  await client.end();
  return {
    postgres,
    server: {
      directory,
      administratorUrl,
      ownerUrl: `postgresql://test_owner:${ownerPassword}@127.0.0.1:${String(port)}/postgres`,
    },
  };
}

async function reachable(url: string, postgres: ChildProcess): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.end();
      return;
    } catch (error) {
      if (tries === 200 || postgres.exitCode !== null) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

const door = createServer();
let clients = 0;
let leaving: NodeJS.Timeout | undefined;
const ready = Promise.withResolvers<KeptServer>();
const stop = Promise.withResolvers<undefined>();

door.on('connection', (socket) => {
  clients += 1;
  clearTimeout(leaving);
  socket.on('error', () => undefined);
  socket.on('close', () => {
    clients -= 1;
    if (clients === 0) leaving = setTimeout(() => { stop.resolve(undefined); }, idle); // prettier-ignore
  });
  socket.resume();
  ready.promise.then(
    (server) => socket.write(`${JSON.stringify(server)}\n`),
    () => socket.destroy(),
  );
});
// Who comes second finds the address taken and leaves it to the first.
door.on('error', () => process.exit(0));
door.listen(keeperAddress);
await once(door, 'listening');
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => { stop.resolve(undefined); }); // prettier-ignore

const directory = await scratch();
try {
  const { server, postgres } = await start(directory);
  ready.resolve(server);
  await Promise.race([stop.promise, once(postgres, 'exit')]);
  door.close();
  if (postgres.exitCode === null) {
    postgres.kill('SIGINT');
    await once(postgres, 'exit');
  }
} finally {
  await rm(directory, { recursive: true, force: true });
}
process.exit(0);
