import { join } from 'node:path';
import { backupsIn } from './backup-manifest.ts';
import { takeBackup } from './backup-take.ts';
import { verifyBackup } from './backup-verify.ts';
import { claim, makeDataDir } from './data-dir.ts';
import { OperatorError } from './operator-error.ts';
import { usePostgres } from './postgres.ts';
import { UsageError, type Verb, type VerbArguments, type VerbContext, type VerbOutcome } from './verb.ts';

export const verb: Verb = {
  usage: '[DIR] | --verify [DIR]',
  help: {
    en: 'Adds a backup of everything the hub keeps to the folder DIR (default HUB_BACKUP_DIR), beside a running hub, and keeps the newest HUB_BACKUPS_KEPT. A backup holds passwords and keys: only its owner may look in; with HUB_BACKUP_KEY it is encrypted. --verify restores the newest one into a scratch folder and checks it.',
    vi: 'Thêm một bản sao lưu toàn bộ dữ liệu vào thư mục DIR (mặc định HUB_BACKUP_DIR), chạy được khi hệ thống đang hoạt động, và giữ HUB_BACKUPS_KEPT bản mới nhất. Bản sao lưu chứa mật khẩu và khóa: chỉ chủ sở hữu được đọc; có HUB_BACKUP_KEY thì được mã hóa. --verify khôi phục thử bản mới nhất vào thư mục tạm và kiểm tra.',
  },
  options: {
    verify: {
      type: 'boolean',
      help: {
        en: 'Restores the newest backup of DIR into a scratch folder, starts a server on it, checks rows and audit; changes nothing.',
        vi: 'Khôi phục thử bản mới nhất của DIR vào thư mục tạm, chạy máy chủ trên đó, kiểm tra dữ liệu và nhật ký; không thay đổi gì.',
      },
    },
  },
  run: (context, args) => (args.flag('verify') ? verify(context, args) : take(context, args)),
};

/** What a hub on a server of one's own is told: that server's own tools are better at it. */
export function refuseOwnServer({ settings }: VerbContext): void {
  if (settings.databaseUrl === null) return;
  throw new UsageError({
    en: 'DATABASE_URL names a PostgreSQL server of your own: back it up with pgBackRest or WAL-G, and copy HUB_DATA_DIR; docs/operations.md, "Backup of a server of your own", leads through it.',
    vi: 'DATABASE_URL trỏ tới máy chủ PostgreSQL riêng: hãy sao lưu bằng pgBackRest hoặc WAL-G và chép HUB_DATA_DIR; xem docs/operations.md, mục "Backup of a server of your own".',
  });
}

/** The folder on the command line, from where the caller stands; else the one of the settings. */
export function backupFolder({ settings }: VerbContext, args: VerbArguments): string {
  const folder = args.words[0] ?? settings.backupDir;
  if (folder !== null) return folder;
  throw new UsageError({
    en: 'Say where: `hub backup DIR`, or set HUB_BACKUP_DIR.',
    vi: 'Hãy nêu thư mục: `hub backup DIR`, hoặc đặt HUB_BACKUP_DIR.',
  });
}

/** Bytes as whole MiB, rounded up. */
export function mebi(bytes: number): number {
  return Math.ceil(bytes / 1024 / 1024);
}

async function take(context: VerbContext, args: VerbArguments): Promise<VerbOutcome> {
  refuseOwnServer(context);
  const { settings, signal } = context;
  const { dataDir } = settings;
  const folder = backupFolder(context, args);
  makeDataDir(dataDir);
  const claimed = await claim(join(dataDir, 'backup.lock'));
  if (!('release' in claimed)) {
    throw new OperatorError(
      `Một lệnh sao lưu khác đang chạy (tiến trình ${claimed.pid}) · Another backup is running (process ${claimed.pid})`,
    );
  }
  const began = performance.now();
  const postgres = await usePostgres(dataDir, signal);
  const progress = context.progress({ en: 'backup, MiB', vi: 'sao lưu, MiB' });
  try {
    const taken = await takeBackup({
      dataDir,
      administratorUrl: postgres.administratorUrl,
      folder,
      archiveRoot: join(settings.backupDir ?? dataDir, 'wal'),
      key: settings.backupKey,
      kept: settings.backupsKept,
      signal,
      progress: (done, total) => progress.at(mebi(done), mebi(total)),
    });
    progress.end();
    const { manifest, storedBytes, removed } = taken;
    const mib = mebi(storedBytes);
    const sealed = manifest.encrypted
      ? { en: 'Encrypted with HUB_BACKUP_KEY.', vi: 'Đã mã hóa bằng HUB_BACKUP_KEY.' }
      : {
          en: 'Not encrypted: it holds the data, passwords and keys of the hub, readable by its owner alone.',
          vi: 'Không mã hóa: chứa dữ liệu, mật khẩu và khóa của hệ thống, chỉ chủ sở hữu đọc được.',
        };
    context.say({
      en: `${taken.folder}: ${mib} MiB, everything up to ${manifest.endedAt}; the log goes on in ${manifest.archive}. ${removed.backups.length} older ones removed. ${sealed.en}`,
      vi: `${taken.folder}: ${mib} MiB, đầy đủ đến ${manifest.endedAt}; nhật ký WAL tiếp tục tại ${manifest.archive}. Đã xóa ${removed.backups.length} bản cũ. ${sealed.vi}`,
    });
    return {
      exit: 0,
      json: {
        backup: taken.folder,
        endedAt: manifest.endedAt,
        files: Object.keys(manifest.files).length,
        bytes: storedBytes,
        encrypted: manifest.encrypted,
        archive: manifest.archive,
        removed,
        seconds: Math.round((performance.now() - began) / 100) / 10,
      },
    };
  } finally {
    await postgres.leave();
    claimed.release();
  }
}

async function verify(context: VerbContext, args: VerbArguments): Promise<VerbOutcome> {
  const folder = backupFolder(context, args);
  const newest = backupsIn(folder, context.settings.backupKey).at(-1);
  if (newest === undefined) {
    throw new UsageError({
      en: `There is no finished backup in ${folder}.`,
      vi: `Không có bản sao lưu hoàn chỉnh nào trong ${folder}.`,
    });
  }
  const progress = context.progress({ en: 'restoring, MiB', vi: 'khôi phục thử, MiB' });
  const found = await verifyBackup(newest, context, (done, total) => progress.at(mebi(done), mebi(total)));
  progress.end();
  for (const problem of found.problems) context.say(problem);
  if (found.problems.length === 0) {
    context.say({
      en: `${newest.folder} is good: restored up to ${found.recoveredTo ?? newest.manifest.endedAt}, ${Object.values(found.rows).reduce((a, b) => a + b, 0)} rows.`,
      vi: `${newest.folder} dùng được: khôi phục đến ${found.recoveredTo ?? newest.manifest.endedAt}, ${Object.values(found.rows).reduce((a, b) => a + b, 0)} dòng.`,
    });
  }
  return {
    exit: found.problems.length === 0 ? 0 : 1,
    json: { backup: newest.folder, ...found, problems: found.problems.map(({ en }) => en) },
  };
}
