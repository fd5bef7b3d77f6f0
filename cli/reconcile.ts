import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '#kernel/clock.ts';
import { openDatabase } from '#kernel/db/database.ts';
import { createLog } from '#kernel/log.ts';
import type { ProcessMessage } from '#kernel/main-process.ts';
import { createMetrics } from '#kernel/metrics.ts';
import { allSubgraphs } from '../subgraphs/all.ts';
import { reconcileRun, releasePopulation } from '../subgraphs/citizens/index.ts';
import { runHere, type RunEnd } from '../workers/run-here.ts';
import { runningHub } from './data-dir.ts';
import { callerOf, ownOperator } from './own-operator.ts';
import { programFile } from './processes.ts';
import { inherited } from './supervised.ts';
import { UsageError, type Verb, type VerbContext, type VerbOutcome } from './verb.ts';

/** Without any answer for so long, in seconds, the rest is given up. */
const patience = 180;
/** Pages that this command works on at once; a running hub takes its share. */
const pagesAtOnce = 3;

export const verb: Verb = {
  usage: '',
  help: {
    en: 'Compares everybody who is due with the population database, now: what agrees is confirmed, what differs becomes work for people. Nothing is overwritten; a second time finds nothing twice.',
    vi: 'Đối soát ngay mọi công dân đến hạn với CSDL quốc gia về dân cư: phần khớp được xác nhận, phần lệch thành việc cần xử lý. Không ghi đè dữ liệu; chạy lại không tạo việc trùng.',
  },
  options: {},
  async run(context) {
    const opened = await context.database();
    const outside = await populationAddress(context);
    const settings = { ...context.settings, populationUrl: outside.url };
    const progress = context.progress({ en: 'citizens', vi: 'công dân' });
    try {
      const principal = await operator(opened.roleUrl('citizens'));
      const end = await runHere(
        {
          job: reconcileRun,
          roleUrl: (role) => opened.roleUrl(role),
          modules: allSubgraphs,
          tools: {
            settings,
            clock: systemClock,
            identifierKey: opened.identifierKey,
            log: createLog({
              level: settings.logLevel,
              file: join(opened.dataDir, 'logs', 'reconcile.log'),
              process: 'hub reconcile',
            }),
            metrics: createMetrics('reconcile'),
          },
          signal: context.signal,
          progress: (done, total) => progress.at(done, total),
          atOnce: pagesAtOnce,
        },
        {
          starter: { caller: callerOf(principal, 'reconcile', context.language) },
          plan: { afterDays: null, patience },
        },
      );
      progress.end();
      return tell(context, end);
    } finally {
      await releasePopulation(settings);
      outside.stop();
    }
  },
};

async function operator(url: string) {
  const database = await openDatabase({ url, entities: [], connections: 1, applicationName: 'hub-reconcile' });
  try {
    return await ownOperator(database);
  } finally {
    await database.close();
  }
}

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

function tell(context: VerbContext, { id, state, total, done, refused, counts }: RunEnd): VerbOutcome {
  const asked = done + refused;
  const of = (name: string): number => counts[name] ?? 0;
  const n = (name: string): string => String(of(name));
  context.say({
    en: `${String(asked)} of ${String(total ?? 0)} citizens: ${n('matched')} agree, ${n('differing')} differ, ${n('unknown')} unknown there; ${n('opened')} new work items, ${n('withdrawn')} gone.`,
    vi: `${String(asked)}/${String(total ?? 0)} công dân: ${n('matched')} khớp, ${n('differing')} lệch, ${n('unknown')} không có ở CSDL dân cư; ${n('opened')} việc mới, ${n('withdrawn')} việc không còn.`,
  });
  if (of('stale') > 0) {
    context.say({
      en: `${n('stale')} answers were older than what is known and were ignored.`,
      vi: `${n('stale')} câu trả lời cũ hơn dữ liệu đã biết và bị bỏ qua.`,
    });
  }
  if (of('busy') > 0) {
    context.say({
      en: `${n('busy')} citizens were not answered: the population database is busy or away. The same command asks them again.`,
      vi: `${n('busy')} công dân chưa được trả lời: CSDL dân cư đang bận hoặc không kết nối được. Chạy lại đúng lệnh này để hỏi tiếp.`,
    });
  }
  if (of('refused') > 0) {
    context.say({
      en: `${n('refused')} citizens were refused: look at account, officer, unit, procedure and address in the settings.`,
      vi: `${n('refused')} công dân bị từ chối tra cứu: hãy kiểm tra tài khoản, cán bộ, đơn vị, thủ tục và địa chỉ trong cài đặt.`,
    });
  }
  if (state !== 'DONE') {
    context.say({
      en: `The run is ${state}. A running hub goes on with it, or: hub runs work ${id}.`,
      vi: `Lượt chạy đang ở trạng thái ${state}. Hệ thống đang chạy sẽ làm tiếp, hoặc: hub runs work ${id}.`,
    });
  }
  const whole = state === 'DONE' && of('busy') === 0 && of('refused') === 0;
  return { exit: whole ? 0 : 1, json: { run: id, state, total: total ?? 0, asked, ...counts, complete: state === 'DONE' } };
}
