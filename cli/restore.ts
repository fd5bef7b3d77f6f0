import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Client } from 'pg';
import { auditKey } from '#kernel/audit/heads.ts';
import { openSealer } from '#kernel/audit/sealer.ts';
import { parseRoleUrls } from '#kernel/db/roles.ts';
import { migrate } from '../subgraphs/migrate.ts';
import { backupsIn, type Backup } from './backup-manifest.ts';
import { backupFolder, mebi, refuseOwnServer } from './backup.ts';
import { claimHub, makeDataDir } from './data-dir.ts';
import { installationKeys } from './keys.ts';
import { OperatorError } from './operator-error.ts';
import { stopPostgres, type PostgresUse } from './postgres.ts';
import { instantOf } from './register.ts';
import { recover } from './restore-cluster.ts';
import { UsageError, type Verb, type VerbContext } from './verb.ts';

export const verb: Verb = {
  usage: '[DIR] [--to TIME] [--archive FOLDER]',
  help: {
    en: 'Makes an empty HUB_DATA_DIR from the newest backup in DIR and the archived log after it, to the end of the log or to a moment. Everybody is logged out; the audit notes the restore. Nothing is left of a restore that fails.',
    vi: 'Dựng lại HUB_DATA_DIR (đang trống) từ bản sao lưu mới nhất trong DIR và nhật ký WAL sau đó, đến hết nhật ký hoặc đến một thời điểm. Mọi người bị đăng xuất; nhật ký truy cập ghi lại việc khôi phục. Khôi phục lỗi thì không để lại gì.',
  },
  options: {
    to: {
      type: 'string',
      value: 'TIME',
      help: {
        en: 'Up to this moment (2026-11-24T10:15:00+07:00) instead of the end of the log.',
        vi: 'Đến thời điểm này (2026-11-24T10:15:00+07:00) thay vì hết nhật ký.',
      },
    },
    archive: {
      type: 'string',
      value: 'FOLDER',
      help: {
        en: 'Where the archived log lies, if not where the backup says: the folder that holds 0000….zst.',
        vi: 'Thư mục nhật ký WAL lưu trữ nếu khác nơi ghi trong bản sao lưu: thư mục chứa 0000….zst.',
      },
    },
  },
  async run(context, args) {
    refuseOwnServer(context);
    const { settings, signal } = context;
    const { dataDir, backupKey: key } = settings;
    const folder = backupFolder(context, args);
    const to = instantOf(args, 'to');
    const backup = chosen(backupsIn(folder, key), to, folder);
    const archive = archiveOf(backup, args.text('archive'));
    makeDataDir(dataDir);
    refuseUsed(dataDir);
    const claimed = await claimHub(dataDir);
    if (!('release' in claimed))
      throw new OperatorError(`Một hệ thống đang chạy trên ${dataDir} · A hub runs on ${dataDir} (process ${claimed.pid})`);
    const began = performance.now();
    const scratch = join(dataDir, 'restoring');
    try {
      await stopPostgres(scratch);
      rmSync(scratch, { recursive: true, force: true });
      const progress = context.progress({ en: 'restoring, MiB', vi: 'khôi phục, MiB' });
      const { postgres, recoveredTo } = await recover({
        backup,
        dataDir: scratch,
        key: backup.manifest.encrypted ? key : null,
        archive,
        to,
        signal,
        progress: (done, total) => progress.at(mebi(done), mebi(total)),
      });
      progress.end();
      try {
        await finish(postgres, scratch, context, backup, recoveredTo);
      } finally {
        await postgres.leave(60_000);
      }
      signal.throwIfAborted();
      putInPlace(scratch, dataDir);
      const upTo = recoveredTo ?? backup.manifest.endedAt;
      if (archive === null) {
        context.say({
          en: `The archive ${backup.manifest.archive} is not to be read from here: what was written after the backup is missing. Give its place with --archive if it exists.`,
          vi: `Không đọc được nơi lưu nhật ký ${backup.manifest.archive}: thiếu những gì ghi sau bản sao lưu. Nếu còn, hãy chỉ ra bằng --archive.`,
        });
      }
      context.say({
        en: `${dataDir} is restored, last change ${upTo}. Start the hub, then take a backup at once: until then its log is not archived.`,
        vi: `Đã khôi phục ${dataDir}, thay đổi cuối ${upTo}. Hãy khởi động hệ thống rồi sao lưu ngay: trước đó nhật ký WAL chưa được lưu trữ.`,
      });
      const seconds = Math.round((performance.now() - began) / 100) / 10;
      return { exit: 0, json: { backup: backup.folder, dataDir, recoveredTo: upTo, archive, seconds } };
    } catch (error) {
      await stopPostgres(scratch).catch(() => undefined);
      rmSync(scratch, { recursive: true, force: true });
      throw error;
    } finally {
      claimed.release();
    }
  },
};

/** The newest backup that ended before the moment: an earlier state than its end cannot be made from it. */
function chosen(backups: readonly Backup[], to: Date | null, folder: string): Backup {
  const fit = to === null ? backups : backups.filter(({ manifest }) => new Date(manifest.endedAt) <= to);
  const backup = fit.at(-1);
  if (backup !== undefined) return backup;
  throw new UsageError(
    backups.length === 0
      ? { en: `There is no finished backup in ${folder}.`, vi: `Không có bản sao lưu hoàn chỉnh nào trong ${folder}.` }
      : {
          en: `Every backup in ${folder} ended after that moment; the first ended at ${backups[0]?.manifest.endedAt ?? ''}.`,
          vi: `Mọi bản sao lưu trong ${folder} đều kết thúc sau thời điểm đó; bản đầu tiên kết thúc lúc ${backups[0]?.manifest.endedAt ?? ''}.`,
        },
  );
}

function archiveOf({ folder, manifest }: Backup, given: string | undefined): string | null {
  if (given !== undefined) {
    if (!existsSync(given)) throw new UsageError({ en: `${given} does not exist.`, vi: `Không có ${given}.` });
    return given;
  }
  // Where it was, or where it lies beside the backups when their folder was brought to another machine.
  const beside = join(folder, '..', 'wal', manifest.system);
  return [manifest.archive, beside].find((path) => existsSync(path)) ?? null;
}

function refuseUsed(dataDir: string): void {
  const found = readdirSync(dataDir).filter((name) => !['logs', 'restoring', 'hub.lock', 'wal'].includes(name));
  if (found.length === 0) return;
  throw new UsageError({
    en: `${dataDir} is not empty (${found.slice(0, 3).join(', ')} …): nothing is overwritten. Move it away, or set another HUB_DATA_DIR.`,
    vi: `${dataDir} không trống (${found.slice(0, 3).join(', ')} …): lệnh không ghi đè gì. Hãy dời đi hoặc đặt HUB_DATA_DIR khác.`,
  });
}

/**
 * What must not live on from the time of the backup: sessions and codes, of which some may have been ended since. What was revoked
 * after the moment that is restored is no longer known to be; docs/operations.md says so. The audit begins a new line.
 */
async function finish(
  postgres: PostgresUse,
  scratch: string,
  { settings, signal }: VerbContext,
  backup: Backup,
  recoveredTo: string | null,
): Promise<void> {
  const { ownerUrl } = postgres;
  await migrate({ ownerUrl, dataDir: scratch, rolePrefix: settings.rolePrefix });
  const { endedAt } = backup.manifest;
  const client = new Client({ connectionString: ownerUrl, application_name: 'hub restore' });
  await client.connect();
  try {
    await client.query('begin');
    await client.query('delete from organisation.session');
    await client.query('delete from organisation.oidc_payload');
    await client.query(`insert into organisation.security_event (kind, principal, detail) values ('hub.restored', null, $1)`, [
      JSON.stringify({ backup: endedAt, recoveredTo }),
    ]);
    await client.query('commit');
  } finally {
    await client.end();
  }
  const { auditKey: jwk } = await installationKeys({ ...settings, dataDir: scratch }, signal);
  const roles = parseRoleUrls(readFileSync(join(scratch, 'roles.json'), 'utf8'));
  const inside = relative(settings.dataDir, settings.auditHeadsDir);
  const headsDir = inside.startsWith('..') ? settings.auditHeadsDir : join(scratch, inside);
  const sealer = await openSealer({ url: roles.sealer, key: auditKey(jwk), headsDir });
  try {
    await sealer.noteRestore({ backup: endedAt, recoveredTo });
  } finally {
    await sealer.close();
  }
}

/** The cluster comes last: as long as it is not there, nothing starts on the folder. */
function putInPlace(scratch: string, dataDir: string): void {
  const names = readdirSync(scratch).filter((name) => !['postgres', 'logs', 'postgres.users', 'postgres.guard'].includes(name));
  for (const name of [...names, 'postgres']) renameSync(join(scratch, name), join(dataDir, name));
  rmSync(scratch, { recursive: true, force: true });
}
