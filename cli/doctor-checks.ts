import { existsSync, readdirSync, statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Client } from 'pg';
import type { Settings } from '#kernel/config.ts';
import { schemas } from '../subgraphs/migrate.ts';
import { archiveNote, readArchiveNote } from '#kernel/backup-note.ts';
import { beyond, one, said, type Finding } from './doctor-finding.ts';

/*
 * What `hub doctor` looks at. A check only reads; it says what it found and, unless all is well, what to do. Of people it tells counts.
 */

const gib = 1024 ** 3;
const day = 86_400;

/** The folder and the disks; needs no database. */
export async function checkMachine(settings: Settings): Promise<readonly Finding[]> {
  const { dataDir, backupDir } = settings;
  const findings: Finding[] = [];
  const open = existsSync(dataDir) ? statSync(dataDir).mode & 0o066 : 0;
  const keys = existsSync(join(dataDir, 'keys.json')) || settings.identifierKey !== null;
  findings.push(
    said(
      'folder',
      { en: dataDir, vi: dataDir },
      open !== 0
        ? {
            state: 'error',
            advice: { en: `Others may read it: chmod 700 ${dataDir}`, vi: `Người khác đọc được: chmod 700 ${dataDir}` },
          }
        : keys
          ? null
          : {
              state: 'error',
              advice: {
                en: 'keys.json is missing: bring it back from a backup before the next start, else a new key is made and numbers are no longer found.',
                vi: 'Thiếu keys.json: lấy lại từ bản sao lưu trước khi khởi động, nếu không khóa mới được tạo và không tìm được theo số nữa.',
              },
            },
    ),
  );
  for (const [check, folder] of [
    ['space', dataDir],
    ['backup space', backupDir],
  ] as const) {
    if (folder === null || !existsSync(folder)) continue;
    const { bavail, bsize, blocks } = await statfs(folder);
    const free = (bavail * bsize) / gib;
    const share = (bavail / blocks) * 100;
    const found = `${free.toFixed(1)} GiB (${share.toFixed(0)} %)`;
    const advice = {
      en: 'Free or add space now: without it nothing more is written, and answers are DEGRADED until there is some.',
      vi: 'Hãy giải phóng hoặc thêm dung lượng ngay: hết chỗ thì không ghi được nữa và hệ thống trả lời DEGRADED.',
    };
    const bad =
      free < 1 ? ({ state: 'error', advice } as const) : free < 5 || share < 5 ? ({ state: 'warning', advice } as const) : null;
    findings.push(said(check, { en: `${found} free in ${folder}`, vi: `còn ${found} tại ${folder}` }, bad));
  }
  return findings;
}

/** Version, durability, clocks, connections, transaction numbers, migrations. */
export async function checkServer(owner: Client): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const before = Date.now();
  const server = await one<{
    version: string;
    forgetful: string[];
    at: Date;
    used: number;
    most: number;
    age: string;
    oldest: number;
  }>(
    owner,
    `select current_setting('server_version') as version, clock_timestamp() as at,
       array(select name from pg_settings where name in ('fsync', 'synchronous_commit', 'full_page_writes') and setting = 'off') as forgetful,
       (select sum(numbackends)::int from pg_stat_database) as used,
       current_setting('max_connections')::int as most, (select max(age(datfrozenxid))::text from pg_database) as age,
       -- What others do is hidden from the owner; how far their oldest transaction lies back is not.
       (pg_snapshot_xmax(now.snapshot)::text::bigint - pg_snapshot_xmin(now.snapshot)::text::bigint)::int as oldest
     from (select pg_current_snapshot() as snapshot) now`,
  );
  const middle = (before + Date.now()) / 2;
  findings.push(said('server', { en: `PostgreSQL ${server.version}`, vi: `PostgreSQL ${server.version}` }, null));
  findings.push(
    said(
      'durability',
      server.forgetful.length === 0
        ? { en: 'What is acknowledged survives a power failure.', vi: 'Dữ liệu đã xác nhận không mất khi mất điện.' }
        : { en: `${server.forgetful.join(', ')} off`, vi: `${server.forgetful.join(', ')} đang tắt` },
      server.forgetful.length === 0
        ? null
        : {
            state: 'error',
            advice: {
              en: 'Switch it on in postgresql.conf and reload; the hub does not start like this.',
              vi: 'Bật lại trong postgresql.conf rồi nạp lại; hệ thống không khởi động khi tắt.',
            },
          },
    ),
  );
  const apart = Math.abs(server.at.getTime() - middle) / 1_000;
  findings.push(
    said(
      'clocks',
      {
        en: `database and machine ${apart.toFixed(1)} s apart`,
        vi: `đồng hồ cơ sở dữ liệu và máy lệch ${apart.toFixed(1)} giây`,
      },
      beyond(apart, 2, 20, {
        en: 'Set both by NTP (chrony, systemd-timesyncd): beyond 30 s tokens are refused.',
        vi: 'Đồng bộ cả hai qua NTP (chrony, systemd-timesyncd): lệch quá 30 giây thì mã truy cập bị từ chối.',
      }),
    ),
  );
  findings.push(
    said(
      'connections',
      { en: `${server.used} of ${server.most}`, vi: `${server.used} trên ${server.most}` },
      beyond(server.used / server.most, 0.8, 0.95, {
        en: 'Raise max_connections, or end what holds them (pg_stat_activity by application_name).',
        vi: 'Tăng max_connections hoặc ngắt các kết nối thừa (pg_stat_activity theo application_name).',
      }),
    ),
  );
  findings.push(
    said(
      'transactions',
      {
        en: `the oldest open one began ${server.oldest} transactions ago, age of numbers ${server.age}`,
        vi: `giao dịch mở lâu nhất bắt đầu trước ${server.oldest} giao dịch, tuổi số giao dịch ${server.age}`,
      },
      beyond(Math.max(server.oldest / 10_000, Number(server.age) / 50_000_000), 10, 30, {
        en: 'End the session that holds the old transaction (pg_stat_activity), and let autovacuum run: VACUUM (FREEZE).',
        vi: 'Kết thúc phiên giữ giao dịch cũ (pg_stat_activity) và để autovacuum chạy: VACUUM (FREEZE).',
      }),
    ),
  );
  findings.push(await checkMigrations(owner));
  return findings;
}

async function checkMigrations(owner: Client): Promise<Finding> {
  const missing: string[] = [];
  for (const { schema, migrations } of schemas) {
    const { there } = await one<{ there: boolean }>(owner, 'select to_regclass($1) is not null as there', [
      `${schema}.migration`,
    ]);
    const { rows } = there ? await owner.query<{ name: string }>(`select name from ${schema}.migration`) : { rows: [] };
    const ran = new Set(rows.map(({ name }) => name));
    missing.push(...migrations.filter(({ name }) => !ran.has(name)).map(({ name }) => `${schema}/${name}`));
  }
  return said(
    'migrations',
    missing.length === 0
      ? { en: 'The database is of this version.', vi: 'Cơ sở dữ liệu đúng phiên bản.' }
      : { en: `missing: ${missing.join(', ')}`, vi: `còn thiếu: ${missing.join(', ')}` },
    missing.length === 0
      ? null
      : {
          state: 'error',
          advice: {
            en: 'Start the hub, or run node subgraphs/migrate.ts where it is deployed apart.',
            vi: 'Khởi động hệ thống, hoặc chạy node subgraphs/migrate.ts khi triển khai tách rời.',
          },
        },
  );
}

/** What the parts should have done with what was written. */
export async function checkWork(owner: Client, settings: Settings): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const { rows: lags } = await owner.query<{ consumer: string; seconds: number }>(
    'select consumer, hub.outbox_lag(consumer) as seconds from hub.outbox_consumer order by 1',
  );
  const slowest = Math.max(0, ...lags.map(({ seconds }) => seconds));
  const behind = lags.filter(({ seconds }) => seconds > 5).map(({ consumer }) => consumer);
  findings.push(
    said(
      'replicas',
      {
        en: `${slowest.toFixed(1)} s behind${behind.length > 0 ? `: ${behind.join(', ')}` : ''}`,
        vi: `chậm ${slowest.toFixed(1)} giây${behind.length > 0 ? `: ${behind.join(', ')}` : ''}`,
      },
      beyond(slowest, 5, 300, {
        en: 'Is the worker running (npm start; logs/worker.log)? If it does not catch up: npm run hub -- rebuild-replicas.',
        vi: 'Tiến trình nền có chạy không (npm start; logs/worker.log)? Nếu không đuổi kịp: npm run hub -- rebuild-replicas.',
      }),
    ),
  );
  const queue = await one<{ events: string; oldest: number; stuck: number; poison: number }>(
    owner,
    `select (select reltuples::bigint::text from pg_class where oid = 'hub.outbox'::regclass) as events,
       coalesce((select extract(epoch from clock_timestamp() - min(at))::float8 from hub.outbox), 0) as oldest,
       (select count(*)::int from hub.run where state = 'RUNNING' and coalesce(heartbeat_at, started_at, created_at) < clock_timestamp() - interval '10 minutes') as stuck,
       (select count(*)::int from organisation.work_item where source = 'JOBS' and state = 'OPEN') as poison`,
  );
  findings.push(
    said(
      'queue',
      {
        en: `${queue.stuck} runs without a sign of life, ${queue.poison} jobs given up`,
        vi: `${queue.stuck} lượt chạy không còn tín hiệu, ${queue.poison} việc đã bỏ cuộc`,
      },
      beyond(queue.stuck + queue.poison, 0, 100, {
        en: 'Look at the runs in the admin; pause and resume one that stands, run again what failed. logs/worker.log names the reason.',
        vi: 'Xem các lượt chạy trong trang quản trị; tạm dừng rồi tiếp tục lượt bị đứng, chạy lại phần lỗi. logs/worker.log nêu lý do.',
      }),
    ),
  );
  const late = queue.oldest / day - settings.keep.outboxDays;
  findings.push(
    said(
      'retention',
      {
        en: `oldest message ${(queue.oldest / day).toFixed(1)} days, kept ${settings.keep.outboxDays}`,
        vi: `thông điệp cũ nhất ${(queue.oldest / day).toFixed(1)} ngày, giữ ${settings.keep.outboxDays} ngày`,
      },
      beyond(late, 2, 30, {
        en: 'Retention does not run, or a consumer stands still: see replicas above and hub_retention_failures_total.',
        vi: 'Việc dọn dữ liệu cũ không chạy, hoặc một phần nhận thông điệp bị đứng: xem replicas ở trên và hub_retention_failures_total.',
      }),
    ),
  );
  return findings;
}

const records = ['insurance.card', 'results.result', 'slips.referral_slip', 'slips.reexamination_slip'] as const;

/** More than so many are not counted. */
const countedTo = 1_000;
/** Days a record may wait for its citizen before somebody should look. */
const patience = 30;

/** Rows that point to nobody, or wait for somebody too long. */
export async function checkRecords(owner: Client): Promise<readonly Finding[]> {
  let orphans = 0;
  let waiting = 0;
  for (const table of records) {
    const found = await one<{ orphans: number; waiting: number }>(
      owner,
      `select (select count(*)::int from (select from ${table} r where r.citizen_id is not null
           and not exists (select from citizens.citizen c where c.id = r.citizen_id) limit ${countedTo}) o) as orphans,
         (select count(*)::int from (select from ${table} r where r.citizen_id is null
           and uuid_extract_timestamp(r.id) < clock_timestamp() - interval '${patience} days' limit ${countedTo}) w) as waiting`,
    );
    orphans += found.orphans;
    waiting += found.waiting;
  }
  let strays = 0;
  for (const schema of ['insurance', 'results', 'slips']) {
    const found = await one<{ strays: number }>(
      owner,
      `select (select count(*)::int from (select from ${schema}.citizen r
           where not exists (select from citizens.citizen c where c.id = r.id) limit ${countedTo}) o)
         + (select count(*)::int from (select from ${schema}.citizen_hash h
           where not exists (select from ${schema}.citizen r where r.id = h.citizen_id) limit ${countedTo}) o) as strays`,
    );
    strays += found.strays;
  }
  return [
    said(
      'strays',
      { en: `${strays} rows of replicas without their citizen`, vi: `${strays} dòng bản sao không có công dân` },
      beyond(strays, 0, Number.POSITIVE_INFINITY, {
        en: 'Make the replicas anew: npm run hub -- rebuild-replicas',
        vi: 'Tạo lại các bản sao: npm run hub -- rebuild-replicas',
      }),
    ),
    said(
      'orphans',
      { en: `${orphans} records of citizens who do not exist`, vi: `${orphans} hồ sơ trỏ tới công dân không tồn tại` },
      orphans === 0
        ? null
        : {
            state: 'error',
            advice: {
              en: 'Records and citizens are of different times: was only a part restored? Restore the whole backup, or ask for help before anything is written.',
              vi: 'Hồ sơ và công dân không cùng thời điểm: có phải chỉ khôi phục một phần? Hãy khôi phục trọn bản sao lưu, hoặc nhờ hỗ trợ trước khi ghi thêm.',
            },
          },
    ),
    said(
      'waiting',
      {
        en: `${waiting} records wait for their citizen longer than ${patience} days`,
        vi: `${waiting} hồ sơ chờ công dân quá ${patience} ngày`,
      },
      beyond(waiting, 0, Number.POSITIVE_INFINITY, {
        en: 'Import the citizens, or have the senders correct the numbers: the records link themselves when he comes.',
        vi: 'Nhập dữ liệu công dân, hoặc yêu cầu nơi gửi sửa số: hồ sơ tự nối khi có công dân.',
      }),
    ),
  ];
}

/** Backups and archived log; of a server of one's own only that it archives at all. */
export async function checkBackup(owner: Client, settings: Settings): Promise<readonly Finding[]> {
  const { dataDir, production } = settings;
  const archiver = await one<{ mode: string; failing: boolean; seconds: number | null }>(
    owner,
    `select current_setting('archive_mode') as mode, coalesce(last_failed_time > coalesce(last_archived_time, '-infinity'), false) as failing,
       extract(epoch from clock_timestamp() - last_archived_time)::float8 as seconds from pg_stat_archiver`,
  );
  if (settings.databaseUrl !== null) {
    return [
      said(
        'backup',
        { en: `archive_mode ${archiver.mode}`, vi: `archive_mode ${archiver.mode}` },
        archiver.mode === 'off' || archiver.failing
          ? {
              state: production ? 'error' : 'warning',
              advice: {
                en: 'Set up pgBackRest or WAL-G: docs/operations.md, "Backup of a server of your own".',
                vi: 'Hãy cài pgBackRest hoặc WAL-G: docs/operations.md, mục "Backup of a server of your own".',
              },
            }
          : null,
      ),
    ];
  }
  const note = readArchiveNote(archiveNote(dataDir));
  const last = note?.backups.findLast(({ folder }) => existsSync(folder));
  const age = last === undefined ? null : (Date.now() - Date.parse(last.endedAt)) / 1_000 / 3_600;
  const take = {
    en: 'Take one, and nightly from then on: npm run hub -- backup DIR',
    vi: 'Hãy sao lưu ngay và đặt lịch hằng đêm: npm run hub -- backup DIR',
  };
  const findings = [
    said(
      'backup',
      last === undefined || age === null
        ? { en: 'There is no backup of this folder.', vi: 'Chưa có bản sao lưu nào của thư mục này.' }
        : { en: `${last.folder}, ${age.toFixed(0)} hours old`, vi: `${last.folder}, cách đây ${age.toFixed(0)} giờ` },
      age === null ? { state: production ? 'error' : 'warning', advice: take } : beyond(age, 36, 24 * 8, take),
    ),
  ];
  if (note === null || last === undefined) return findings;
  const waiting = readdirSync(join(dataDir, 'postgres', 'pg_wal', 'archive_status')).filter((name) =>
    name.endsWith('.ready'),
  ).length;
  const misplaced = settings.backupDir !== null && !note.archive.startsWith(join(resolve(settings.backupDir), 'wal'));
  findings.push(
    said(
      'archive',
      {
        en: `${waiting} pieces of the log wait, the last one went ${archiver.seconds === null ? 'never' : `${archiver.seconds.toFixed(0)} s ago`} to ${note.archive}`,
        vi: `${waiting} đoạn nhật ký đang chờ, đoạn cuối ${archiver.seconds === null ? 'chưa bao giờ' : `cách đây ${archiver.seconds.toFixed(0)} giây`} tới ${note.archive}`,
      },
      archiver.failing || waiting > 3
        ? {
            state: 'error',
            advice: {
              en: 'The archive does not take the log (logs/postgres.log, lines "archive:"): is it full, mounted, writable? Until then the log fills the disk of the hub.',
              vi: 'Nơi lưu trữ không nhận nhật ký WAL (logs/postgres.log, dòng "archive:"): có đầy, chưa gắn, không ghi được? Nhật ký sẽ làm đầy đĩa của hệ thống.',
            },
          }
        : misplaced
          ? {
              state: 'warning',
              advice: {
                en: 'HUB_BACKUP_DIR names another place: the next backup moves the archive there.',
                vi: 'HUB_BACKUP_DIR chỉ nơi khác: lần sao lưu kế tiếp sẽ chuyển nơi lưu trữ.',
              },
            }
          : null,
    ),
  );
  return findings;
}
