import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { populationFromSettings } from '#connectors/population/from-settings.ts';
import { everyUnit, openDatabase } from '#kernel/db/database.ts';
import type { ProcessMessage } from '#kernel/main-process.ts';
import { reconcileCitizens, sharedAllowance, type ReconcileReport } from '../subgraphs/citizens/index.ts';
import { runningHub } from './data-dir.ts';
import { callerOf, ownOperator } from './own-operator.ts';
import { programFile } from './processes.ts';
import { inherited } from './supervised.ts';
import { UsageError, type Verb, type VerbContext, type VerbOutcome } from './verb.ts';

/** Without any answer for so long, in milliseconds, the rest is given up. */
const patience = 180_000;

export const verb: Verb = {
  usage: '',
  help: {
    en: 'Compares everybody who is due with the population database, now: what agrees is confirmed, what differs becomes work for people. Nothing is overwritten; a second time finds nothing twice.',
    vi: 'Đối soát ngay mọi công dân đến hạn với CSDL quốc gia về dân cư: phần khớp được xác nhận, phần lệch thành việc cần xử lý. Không ghi đè dữ liệu; chạy lại không tạo việc trùng.',
  },
  options: {},
  async run(context) {
    const opened = await context.database();
    const { settings } = context;
    const database = await openDatabase({
      url: opened.roleUrl('citizens'),
      entities: [],
      connections: 4,
      applicationName: 'hub-reconcile',
    });
    try {
      const principal = await ownOperator(database);
      const outside = await populationAddress(context);
      try {
        const allowance = sharedAllowance(settings.population.callsPerSecond);
        allowance.through = (body) => database.transaction({ units: everyUnit, principal: principal.id }, body);
        const connection = populationFromSettings(settings, { url: outside.url, allowance });
        if (connection === null) throw new Error('no address of the population database');
        try {
          const progress = context.progress({ en: 'citizens', vi: 'công dân' });
          const report = await reconcileCitizens(
            {
              database,
              population: connection.database,
              asker: connection.asker(principal.name),
              atOnce: settings.population.callsAtOnce,
              afterDays: settings.population.reconcileAfterDays,
              patience,
            },
            {
              caller: callerOf(principal, 'reconcile', context.language),
              signal: context.signal,
              progress: (done, total) => progress.at(done, total),
            },
          );
          progress.end();
          return tell(context, report);
        } finally {
          await connection.database.close();
        }
      } finally {
        outside.stop();
      }
    } finally {
      await database.close();
    }
  },
};

interface Outside {
  readonly url: string;
  stop(): void;
}

/** By setting; else the simulator of the hub that runs on this data directory; else one for this command alone. Never in production. */
async function populationAddress({ settings, signal }: VerbContext): Promise<Outside> {
  const { populationUrl, production, dataDir } = settings;
  if (populationUrl !== null) return { url: populationUrl, stop: () => undefined };
  if (production) {
    throw new UsageError({
      en: 'There is no population database to ask: set POPULATION_URL.',
      vi: 'Chưa có địa chỉ CSDL quốc gia về dân cư: hãy đặt POPULATION_URL.',
    });
  }
  const noted = runningHub(dataDir) === null ? null : notedSimulator(dataDir);
  return noted === null ? ownSimulator(dataDir, settings.demoSeed, signal) : { url: noted, stop: () => undefined };
}

function notedSimulator(dataDir: string): string | null {
  try {
    const note: unknown = JSON.parse(readFileSync(join(dataDir, 'population-simulator.json'), 'utf8'));
    return typeof note === 'object' && note !== null && 'address' in note && typeof note.address === 'string'
      ? note.address
      : null;
  } catch {
    return null;
  }
}

function ownSimulator(dataDir: string, seed: number, signal: AbortSignal): Promise<Outside> {
  const child = spawn(process.execPath, [programFile('connectors', 'population', 'main.ts')], {
    env: {
      ...inherited(),
      HUB_DATA_DIR: dataDir,
      HUB_DEMO_SEED: String(seed),
      HUB_INNER_PORT: '0',
      HUB_LOG_FILE: join(dataDir, 'logs', 'population.log'),
    },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the simulator of the population database ended (${String(code)})`)));
    signal.addEventListener('abort', () => child.kill('SIGTERM'), { once: true });
    child.once('message', (message: ProcessMessage) => {
      if (message.address === null) return;
      resolve({ url: message.address, stop: () => void child.kill('SIGTERM') });
    });
  });
}

function tell(context: VerbContext, report: ReconcileReport): VerbOutcome {
  const { asked, matched, differing, unknown, busy, refused, stale, opened, withdrawn, total, complete } = report;
  const n = (value: number): string => String(value);
  context.say({
    en: `${n(asked)} of ${n(total)} citizens: ${n(matched)} agree, ${n(differing)} differ, ${n(unknown)} unknown there; ${n(opened)} new work items, ${n(withdrawn)} gone.`,
    vi: `${n(asked)}/${n(total)} công dân: ${n(matched)} khớp, ${n(differing)} lệch, ${n(unknown)} không có ở CSDL dân cư; ${n(opened)} việc mới, ${n(withdrawn)} việc không còn.`,
  });
  if (stale > 0) {
    context.say({
      en: `${n(stale)} answers were older than what is known and were ignored.`,
      vi: `${n(stale)} câu trả lời cũ hơn dữ liệu đã biết và bị bỏ qua.`,
    });
  }
  if (busy > 0) {
    context.say({
      en: `${n(busy)} citizens were not answered: the population database is busy or away. The same command asks them again.`,
      vi: `${n(busy)} công dân chưa được trả lời: CSDL dân cư đang bận hoặc không kết nối được. Chạy lại đúng lệnh này để hỏi tiếp.`,
    });
  }
  if (refused > 0) {
    context.say({
      en: `${n(refused)} citizens were refused: look at account, officer, unit, procedure and address in the settings.`,
      vi: `${n(refused)} công dân bị từ chối tra cứu: hãy kiểm tra tài khoản, cán bộ, đơn vị, thủ tục và địa chỉ trong cài đặt.`,
    });
  }
  if (!complete) {
    context.say({
      en: 'Stopped before the end. The same command goes on with the rest.',
      vi: 'Đã dừng trước khi xong. Chạy lại đúng lệnh này để làm tiếp.',
    });
  }
  return { exit: complete && busy === 0 && refused === 0 ? 0 : 1, json: { ...report } };
}
