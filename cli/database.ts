import { readRoleUrls, type Settings } from '#kernel/config.ts';
import type { HubRole } from '#kernel/db/roles.ts';
import { migrate } from '../subgraphs/migrate.ts';
import { makeDataDir, runningHub } from './data-dir.ts';
import { installationKeys } from './keys.ts';
import { usePostgres } from './postgres.ts';

/** The database of a data directory, for a command. */
export interface VerbDatabase {
  /** Owner of the tables. Row policies bind it too: maintenance says `set_config('hub.scope', '{(,)}', true)` first. */
  readonly ownerUrl: string;
  /** Address of a role, with its own rights only. */
  roleUrl(role: HubRole): string;
  readonly dataDir: string;
  /** Key of the hashes of identifiers, the same as in the serving processes. */
  readonly identifierKey: Buffer;
  close(): Promise<void>;
}

/**
 * The migrated database, beside a running hub or alone. A running hub has migrated it already; else the command does, and starts
 * the embedded PostgreSQL, which stops when its last user leaves.
 */
export async function openDatabase(settings: Settings, signal: AbortSignal): Promise<VerbDatabase> {
  const { dataDir } = settings;
  makeDataDir(dataDir);
  const embedded = settings.databaseUrl === null ? await usePostgres(dataDir, signal) : null;
  const ownerUrl = settings.databaseUrl ?? embedded?.ownerUrl ?? '';
  try {
    if (runningHub(dataDir) === null) await migrate({ ownerUrl, dataDir, rolePrefix: settings.rolePrefix });
    const roleUrl = readRoleUrls(settings);
    const { identifierKey } = await installationKeys(settings, signal);
    return { ownerUrl, roleUrl, dataDir, identifierKey, close: async () => embedded?.leave() };
  } catch (error) {
    await embedded?.leave();
    throw error;
  }
}
