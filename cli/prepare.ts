import { Client } from 'pg';
import { settingsOrExit, type Settings } from '#kernel/config.ts';
import { buildAdmin } from '../admin/build.ts';
import { migrate } from '../subgraphs/migrate.ts';
import { installationKeys } from './keys.ts';
import { progressBar } from './terminal.ts';

/*
 * What happens to the database before anything serves: checked, migrated, and an empty one filled with the demo world. A process of
 * its own, started by the supervisor, so that what it loads is gone again when the hub runs.
 */

const settings = settingsOrExit('operator');
const ownerUrl = settings.databaseUrl;
if (ownerUrl === null) throw new Error('prepare.ts is started by the supervisor, with DATABASE_URL');

/** An acknowledged change must survive a power failure: a server that does not promise it is refused. */
async function refuseForgetfulServer(client: Client): Promise<void> {
  const { rows } = await client.query<{ name: string; setting: string }>(
    `select name, setting from pg_settings where name in ('fsync', 'synchronous_commit', 'full_page_writes')`,
  );
  const wrong = rows.filter(({ setting }) => setting === 'off');
  if (wrong.length > 0) {
    const names = wrong.map(({ name, setting }) => `${name}=${setting}`).join(', ');
    throw new Error(
      `PostgreSQL may lose what it acknowledged (${names}): switch them on. · PostgreSQL có thể mất dữ liệu đã xác nhận (${names}): hãy bật lại.`,
    );
  }
}

/** The demo world into a database without units. Killed half-way it leaves nothing. */
async function fillWithDemo({ dataDir, demoSeed }: Settings, ownerUrl: string, signal: AbortSignal): Promise<void> {
  const { seedDemoWorld } = await import('../subgraphs/seed.ts');
  const { identifierKey } = await installationKeys(settings, signal);
  const bar = progressBar(process.stderr, 'dữ liệu mẫu · demo world');
  await seedDemoWorld({
    ownerUrl,
    dataDir,
    seed: demoSeed,
    identifierKey,
    signal,
    progress: (done, total) => bar.at(done, total),
  });
  bar.end();
}

/** The admin as browsers get it. What cannot be built stops a production start; elsewhere the graph is served with the admin of before. */
async function buildScreens({ production }: Settings): Promise<void> {
  try {
    await buildAdmin(() => process.stderr.write('dựng giao diện quản trị · building the admin\n'));
  } catch (error) {
    if (production) throw error;
    process.stderr.write(`chưa dựng được giao diện quản trị · the admin could not be built: ${String(error)}\n`);
  }
}

async function prepare(ownerUrl: string): Promise<void> {
  const stop = new AbortController();
  process.once('SIGTERM', () => stop.abort(new Error('stopped')));
  const client = new Client({ connectionString: ownerUrl, application_name: 'hub prepare' });
  await client.connect();
  try {
    await refuseForgetfulServer(client);
    await migrate({ ownerUrl, dataDir: settings.dataDir, rolePrefix: settings.rolePrefix });
    const { rowCount } = settings.demo ? await client.query('select from hub.unit limit 1') : { rowCount: 1 };
    if (rowCount === 0) await fillWithDemo(settings, ownerUrl, stop.signal);
    await buildScreens(settings);
  } finally {
    await client.end();
  }
}

try {
  await prepare(ownerUrl);
} catch (error) {
  // Nobody's data can stand in it yet: the text is for whoever starts the hub.
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
