import { Client } from 'pg';
import { auditPublicKeys } from '#kernel/audit/heads.ts';
import type { Query } from '#kernel/audit/sealed-rows.ts';
import { verifyAudit, type Problem, type ProblemKind, type Verified } from '#kernel/audit/verify.ts';
import { runningHub } from './data-dir.ts';
import { installationKeys } from './keys.ts';
import type { Verb, VerbContext, Wording } from './verb.ts';

const connections = 2;

const words: Readonly<Record<ProblemKind, Wording>> = {
  EDITED: { en: 'a sealed row was changed', vi: 'một dòng đã niêm phong bị sửa' },
  DELETED: { en: 'a sealed row is gone', vi: 'một dòng đã niêm phong bị mất' },
  INSERTED: { en: 'a row stands among sealed ones that was never sealed', vi: 'một dòng chưa từng niêm phong bị chèn vào' },
  SEALS_CHANGED: {
    en: 'the seals of a batch are not those that were signed; the batch begins here',
    vi: 'niêm phong của một lô không khớp với phần đã ký; lô bắt đầu từ đây',
  },
  CHAIN_BROKEN: {
    en: 'a head of the chain is missing, changed, or not signed by this hub',
    vi: 'một mốc của chuỗi bị mất, bị sửa hoặc không phải do hệ thống này ký',
  },
  ROLLED_BACK: {
    en: 'a head published outside is not in the database: the database was rolled back or replaced',
    vi: 'một mốc đã công bố không có trong cơ sở dữ liệu: cơ sở dữ liệu đã bị quay lui hoặc thay thế',
  },
  PUBLISHED_CHANGED: { en: 'the published heads were damaged or changed', vi: 'tệp mốc đã công bố bị hỏng hoặc bị sửa' },
  NOT_SEALED: {
    en: 'rows older than a minute wait for their seal: look at the worker',
    vi: 'có dòng cũ hơn một phút chưa được niêm phong: hãy kiểm tra tiến trình nền',
  },
};

export const verb: Verb = {
  usage: '[--heads FOLDER]',
  help: {
    en: 'Looks whether the access audit is what was written: every sealed row, the signed chain, and the heads published outside. Exit 0: all is as it was written; a restore by this command line is told, no error.',
    vi: 'Kiểm tra nhật ký truy cập còn nguyên như lúc ghi: từng dòng đã niêm phong, chuỗi đã ký và các mốc đã công bố. Mã 0: nguyên vẹn; lần khôi phục bằng lệnh của hệ thống được nêu ra, không tính là lỗi.',
  },
  options: {
    heads: {
      type: 'string',
      value: 'FOLDER',
      help: {
        en: 'A copy of the published heads from another machine, compared beside HUB_AUDIT_HEADS_DIR.',
        vi: 'Bản sao các mốc đã công bố ở máy khác, được so cùng với HUB_AUDIT_HEADS_DIR.',
      },
    },
  },
  async run(context, args) {
    const { settings, signal } = context;
    const database = await context.database();
    const { auditKey } = await installationKeys(settings, signal);
    const copy = args.text('heads');
    const clients = await Promise.all(Array.from({ length: connections }, () => auditorClient(database.roleUrl('auditor'))));
    const progress = context.progress({ en: 'audit rows', vi: 'dòng nhật ký' });
    const began = performance.now();
    try {
      const verified = await verifyAudit({
        queries: clients.map(queryOf),
        keys: auditPublicKeys([auditKey, ...settings.auditPublicKeys]),
        headsDirs: [settings.auditHeadsDir, ...(copy === undefined ? [] : [copy])],
        // With a server of one's own the hub may run on another machine: then a late seal counts.
        sealing: settings.databaseUrl !== null || runningHub(settings.dataDir) !== null,
        signal,
        progress: (done, total) => progress.at(done, total),
      });
      progress.end();
      const seconds = (performance.now() - began) / 1_000;
      tell((line) => context.say(line), verified, seconds);
      return {
        exit: verified.problems.length === 0 ? 0 : 1,
        json: { ...verified, first: verified.problems[0] ?? null, seconds: Math.round(seconds * 1000) / 1000 },
      };
    } finally {
      await Promise.all(clients.map((client) => client.end()));
    }
  },
};

async function auditorClient(url: string): Promise<Client> {
  const client = new Client({ connectionString: url, application_name: 'hub verify-audit' });
  await client.connect();
  // Of the role: 5 s for an answer to a person. This is no answer to one.
  await client.query(`set statement_timeout = '10min'; set work_mem = '64MB'`);
  return client;
}

function queryOf(client: Client): Query {
  return async <Row extends object>(text: string, values: readonly unknown[] = []) =>
    (await client.query<Row & Record<string, unknown>>(text, [...values])).rows;
}

function tell(say: VerbContext['say'], verified: Verified, seconds: number): void {
  const { rows, heads, published, tail, prunedRows, gaps, problems, more } = verified;
  const speed = Math.round(rows / Math.max(seconds, 0.001));
  say({
    en: `${rows} sealed rows, ${heads} heads, ${published} published; ${tail} newer rows wait for their seal; ${prunedRows} were dropped by retention. ${speed} rows/s.`,
    vi: `${rows} dòng đã niêm phong, ${heads} mốc, ${published} mốc đã công bố; ${tail} dòng mới đang chờ niêm phong; ${prunedRows} dòng đã xóa theo thời hạn lưu. ${speed} dòng/giây.`,
  });
  for (const { restoredAt, recoveredTo, backup, heads: lost } of gaps) {
    const upTo = String(recoveredTo ?? backup);
    say({
      en: `Known gap: restored at ${restoredAt} to ${upTo}; ${lost} heads published after that belong to the lost time.`,
      vi: `Khoảng trống đã biết: khôi phục lúc ${restoredAt} về ${upTo}; ${lost} mốc công bố sau đó thuộc thời gian đã mất.`,
    });
  }
  for (const problem of problems) say(line(problem));
  if (more) say({ en: '… and more.', vi: '… và còn nữa.' });
  if (problems.length === 0) say({ en: 'The audit is as it was written.', vi: 'Nhật ký truy cập còn nguyên vẹn.' });
}

function line({ kind, at, id, head }: Problem): Wording {
  const place = [at, id, head === null ? null : `head ${head}`].filter((part) => part !== null).join(' · ');
  return { en: `${kind} ${place}: ${words[kind].en}`, vi: `${kind} ${place}: ${words[kind].vi}` };
}
