import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from 'pg';
import { readPublished } from '#kernel/audit/heads.ts';
import type { Settings } from '#kernel/config.ts';
import { runningHub } from './data-dir.ts';
import { beyond, one, said, type Finding } from './doctor-finding.ts';

/* What `hub doctor` looks at beside the database: published heads of the audit, files that come in and go out. */

/** Partitions of the audit, which must never run out; whether it is sealed, and its heads published. */
export async function checkAudit(owner: Client, settings: Settings): Promise<readonly Finding[]> {
  const { months } = await one<{ months: number }>(
    owner,
    `select count(*)::int as months from pg_inherits i join pg_class c on c.oid = i.inhrelid
     where i.inhparent = 'hub.audit_event'::regclass and c.relname >= 'audit_event_' || to_char(clock_timestamp() at time zone 'UTC', 'YYYY_MM')`,
  );
  return [
    said(
      'audit',
      { en: `room for ${months} months`, vi: `còn chỗ cho ${months} tháng` },
      months > 3
        ? null
        : {
            state: months > 0 ? 'warning' : 'error',
            advice: {
              en: 'Start the hub once: it makes the coming months. Without them nothing is answered.',
              vi: 'Khởi động lại hệ thống để tạo các tháng tới. Thiếu chúng thì không dữ liệu nào được trả lời.',
            },
          },
    ),
    ...(await checkSeals(owner, settings)),
  ];
}

/** Hours; heads are published every ten minutes. */
const unpublished = { warn: 1, fail: 24 } as const;

async function checkSeals(owner: Client, settings: Settings): Promise<readonly Finding[]> {
  const { lag, newest } = await one<{ lag: number; newest: Date | null }>(
    owner,
    `select hub.sealing_lag() as lag, (select h.at from hub.audit_head h order by h.no desc limit 1) as newest`,
  );
  const runs = settings.databaseUrl !== null || runningHub(settings.dataDir) !== null;
  const { heads, unreadable } = readPublished(settings.auditHeadsDir);
  const last = heads.at(-1);
  const ages = {
    published: last === undefined ? null : (Date.now() - Date.parse(last.at)) / 3_600_000,
    /** Of what is sealed and not yet published. */
    behind: newest === null ? 0 : (newest.getTime() - (last === undefined ? 0 : Date.parse(last.at))) / 3_600_000,
  };
  const known =
    ages.published === null
      ? { en: 'no head is published', vi: 'chưa công bố mốc nào' }
      : {
          en: `the newest published head is ${ages.published.toFixed(1)} hours old`,
          vi: `mốc công bố mới nhất cách đây ${ages.published.toFixed(1)} giờ`,
        };
  const damaged = unreadable.length > 0;
  return [
    said(
      'seals',
      {
        en: `the audit is sealed up to ${lag.toFixed(0)} s ago${runs ? '' : ' (no hub is running)'}`,
        vi: `nhật ký đã niêm phong tới cách đây ${lag.toFixed(0)} giây${runs ? '' : ' (hệ thống không chạy)'}`,
      },
      runs
        ? beyond(lag, 60, 3_600, {
            en: 'Is the worker running, and has it the key (keys.json, HUB_AUDIT_KEY)? logs/worker.log, lines audit.not-sealed. After four hours changes are refused.',
            vi: 'Tiến trình nền có chạy và có khóa (keys.json, HUB_AUDIT_KEY) không? Xem logs/worker.log, dòng audit.not-sealed. Sau bốn giờ mọi thay đổi bị từ chối.',
          })
        : null,
    ),
    said(
      'heads',
      {
        en: `${known.en} (${settings.auditHeadsDir})${damaged ? `; unreadable: ${unreadable.join(', ')}` : ''}`,
        vi: `${known.vi} (${settings.auditHeadsDir})${damaged ? `; không đọc được: ${unreadable.join(', ')}` : ''}`,
      },
      damaged
        ? {
            state: 'error',
            advice: {
              en: 'The file was damaged or changed: compare it with the copy on another machine (npm run hub -- verify-audit --heads COPY), keep both.',
              vi: 'Tệp bị hỏng hoặc bị sửa: hãy so với bản sao ở máy khác (npm run hub -- verify-audit --heads BẢN_SAO), giữ cả hai.',
            },
          }
        : beyond(newest === null ? 0 : ages.behind, unpublished.warn, unpublished.fail, {
            en: 'What was sealed is not published: is the folder there, mounted and writable for the worker (HUB_AUDIT_HEADS_DIR)? logs/worker.log, lines audit.not-sealed.',
            vi: 'Phần đã niêm phong chưa được công bố: thư mục HUB_AUDIT_HEADS_DIR có tồn tại, đã gắn và tiến trình nền ghi được không? Xem logs/worker.log, dòng audit.not-sealed.',
          }),
    ),
  ];
}

/** What the store of files calls its own. */
const storedName = /^[0-9a-f]{32}$/;
/** Hours: files that nobody fetched go within a day and an hour. */
const sweptWithin = 26;

/** Files and the rows that name them. Of files that lie on another machine nothing can be said here. */
export async function checkFiles(owner: Client, { filesDir }: Settings): Promise<readonly Finding[]> {
  const { rows } = await owner.query<{ name: string }>(
    `select stored_as as name from hub.import_file where stored_as is not null and state in ('RECEIVED','STAGED')
     union select stored_as from hub.export_file where stored_as is not null and expires_at > clock_timestamp()`,
  );
  const there = existsSync(filesDir) ? readdirSync(filesDir).filter((name) => storedName.test(name)) : [];
  const present = new Set(there);
  const lost = rows.filter(({ name }) => !present.has(name)).length;
  const named = new Set(rows.map(({ name }) => name));
  const old = Date.now() - sweptWithin * 3_600_000;
  const left = there.filter((name) => !named.has(name) && statSync(join(filesDir, name)).mtimeMs < old).length;
  return [
    said(
      'files',
      {
        en: `${there.length} files; ${lost} that are named are not there, ${left} that nobody names are older than a day (${filesDir})`,
        vi: `${there.length} tệp; ${lost} tệp được ghi nhận nhưng không có, ${left} tệp không ai ghi nhận đã quá một ngày (${filesDir})`,
      },
      lost > 0
        ? {
            state: 'warning',
            advice: {
              en: 'Have the senders send their imports again and start the exports again; after a restore that is to be expected. Otherwise: does HUB_FILES_DIR name the same folder for every process?',
              vi: 'Đề nghị nơi gửi nộp lại tệp nhập và chạy lại các lượt xuất; sau khi khôi phục thì đó là điều bình thường. Nếu không: HUB_FILES_DIR có trỏ cùng một thư mục cho mọi tiến trình không?',
            },
          }
        : beyond(left, 0, Number.POSITIVE_INFINITY, {
            en: 'The gateway removes them hourly: is it running, may it write in that folder? They may also be removed by hand.',
            vi: 'Cổng dọn chúng hằng giờ: cổng có chạy và ghi được vào thư mục đó không? Cũng có thể xóa bằng tay.',
          }),
    ),
  ];
}
