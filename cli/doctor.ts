import { Client } from 'pg';
import { makeDataDir, runningHub } from './data-dir.ts';
import { checkAudit, checkFiles } from './doctor-audit.ts';
import { checkBackup, checkMachine, checkRecords, checkServer, checkWork } from './doctor-checks.ts';
import type { Finding } from './doctor-finding.ts';
import { usePostgres } from './postgres.ts';
import { worded } from './terminal.ts';
import type { Verb, VerbContext } from './verb.ts';

export const verb: Verb = {
  usage: '',
  help: {
    en: 'Examines the installation and changes nothing: settings, folder, space, database, clocks, durability, migrations, replicas, queue, retention, orphaned and waiting records, files, audit with its seals and published heads, backup and archive. Each line says what to do. Exit 1 when there is an error, 0 with warnings alone.',
    vi: 'Kiểm tra hệ thống, không thay đổi gì: cài đặt, thư mục, dung lượng, cơ sở dữ liệu, đồng hồ, độ bền, di trú, bản sao, hàng đợi, dọn dữ liệu cũ, hồ sơ mồ côi và đang chờ, tệp, nhật ký truy cập cùng niêm phong và mốc công bố, sao lưu và lưu trữ. Mỗi dòng nêu việc cần làm. Mã 1 khi có lỗi, 0 khi chỉ có cảnh báo.',
  },
  options: {},
  async run(context) {
    const { settings, language } = context;
    const findings: Finding[] = [];
    const tell = (more: readonly Finding[]) => {
      for (const finding of more) {
        findings.push(finding);
        context.say(lineOf(finding, language));
      }
    };
    const hub = runningHub(settings.dataDir);
    tell([
      {
        check: 'settings',
        state: 'ok',
        found: {
          en: `can be used; ${hub === null ? 'no hub is running' : `a hub is running (process ${hub.pid})`}`,
          vi: `dùng được; ${hub === null ? 'hệ thống không chạy' : `hệ thống đang chạy (tiến trình ${hub.pid})`}`,
        },
        advice: null,
      },
    ]);
    makeDataDir(settings.dataDir);
    tell(await checkMachine(settings));
    await withOwner(context, async (owner) => {
      tell(await checkServer(owner));
      // The others ask tables of this version.
      if (findings.some(({ check, state }) => check === 'migrations' && state !== 'ok')) return;
      for (const check of [checkWork, checkRecords, checkFiles, checkAudit, checkBackup]) tell(await check(owner, settings));
    }).catch((error: unknown) => {
      const text = error instanceof Error ? error.message : String(error);
      tell([
        {
          check: 'database',
          state: 'error',
          found: { en: text, vi: text },
          advice: {
            en: 'Does the server run, and does DATABASE_URL name it? Of the embedded one see logs/postgres.log.',
            vi: 'Máy chủ có chạy không, DATABASE_URL có đúng không? Máy chủ đi kèm: xem logs/postgres.log.',
          },
        },
      ]);
    });
    const count = (state: Finding['state']) => findings.filter((finding) => finding.state === state).length;
    const [errors, warnings] = [count('error'), count('warning')];
    context.say({ en: `${errors} errors, ${warnings} warnings`, vi: `${errors} lỗi, ${warnings} cảnh báo` });
    const checks = findings.map(({ check, state, found, advice }) => ({
      check,
      state,
      found: found[language],
      advice: advice?.[language] ?? null,
    }));
    return { exit: errors === 0 ? 0 : 1, json: { errors, warnings, checks } };
  },
};

function lineOf({ check, state, found, advice }: Finding, language: 'vi' | 'en'): string {
  const word = { ok: { en: 'ok', vi: 'tốt' }, warning: { en: 'warning', vi: 'cảnh báo' }, error: { en: 'ERROR', vi: 'LỖI' } }[
    state
  ];
  const line = `${word[language].padEnd(9)} ${check.padEnd(13)} ${worded(found, language)}`;
  return advice === null ? line : `${line}\n${' '.repeat(24)}→ ${worded(advice, language)}`;
}

/** As the owner, over every unit, without bringing the database to this version as other commands do. */
async function withOwner({ settings, signal }: VerbContext, work: (owner: Client) => Promise<void>): Promise<void> {
  const embedded = settings.databaseUrl === null ? await usePostgres(settings.dataDir, signal) : null;
  try {
    const owner = new Client({
      connectionString: settings.databaseUrl ?? embedded?.ownerUrl ?? '',
      application_name: 'hub doctor',
      connectionTimeoutMillis: 5_000,
      statement_timeout: 60_000,
    });
    await owner.connect();
    try {
      await owner.query(`select set_config('hub.scope', '{(,)}', false)`);
      await work(owner);
    } finally {
      await owner.end();
    }
  } finally {
    await embedded?.leave();
  }
}
