import { existsSync, readdirSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { archiveNote, readArchiveNote } from '#kernel/backup-note.ts';
import type { Settings } from '#kernel/config.ts';
import type { Metrics } from '#kernel/metrics.ts';

/** Numbers of the machine that alarms hang on; read when Prometheus asks. What is not there has no number. */
export function measureUpkeep({ dataDir, backupDir }: Pick<Settings, 'dataDir' | 'backupDir'>, metrics: Metrics): void {
  metrics.gauges('hub_free_bytes', 'Free space of the folder', ['folder'], (set) => {
    for (const [folder, path] of [
      ['data', dataDir],
      ['backup', backupDir],
    ] as const) {
      if (path === null || !existsSync(path)) continue;
      const { bavail, bsize } = statfsSync(path);
      set({ folder }, bavail * bsize);
    }
  });
  metrics.gauges(
    'hub_backup_age_seconds',
    'Time since the end of the newest backup; none while there is none',
    ['state'],
    (set) => {
      const last = readArchiveNote(archiveNote(dataDir))?.backups.at(-1);
      if (last !== undefined)
        set({ state: existsSync(last.folder) ? 'there' : 'gone' }, (Date.now() - Date.parse(last.endedAt)) / 1_000);
    },
  );
  metrics.gauges('hub_archive_waiting', 'Pieces of the log that wait for the archive', ['place'], (set) => {
    const status = join(dataDir, 'postgres', 'pg_wal', 'archive_status');
    if (existsSync(status)) set({ place: 'pg_wal' }, readdirSync(status).filter((name) => name.endsWith('.ready')).length);
  });
}
