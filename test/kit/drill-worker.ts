import { settingsOrExit, readRoleUrls } from '#kernel/config.ts';
import { createLog } from '#kernel/log.ts';
import { createMetrics } from '#kernel/metrics.ts';
import { queuePlace, startRuntime } from '../../workers/runtime.ts';
import { deaths, drillRun } from './drill-job.ts';

/*
 * A worker process for drills: the real runtime with one run of its own and short times. `DRILL_DEATH` says where it kills itself. It says `ready` and
 * ends on SIGTERM. `DRILL_LEASE`: seconds of a lease; `DRILL_EVERY`: seconds between two runs by schedule; `DRILL_DAILY`: the time of day of one, in Việt Nam; `DRILL_CLOCK`: milliseconds by which its clock is wrong, or `jumping`.
 */
const clock = process.env.DRILL_CLOCK ?? '0';
let shift = clock === 'jumping' ? 3_600_000 : Number(clock);
if (shift !== 0) {
  const trueTime = Date.now.bind(Date);
  Date.now = () => trueTime() + shift;
  if (clock === 'jumping') setInterval(() => (shift = -shift), 200).unref();
}
const settings = settingsOrExit('serving');
const metrics = createMetrics('drill');
const log = createLog({ level: 'warn', file: settings.logFile, process: 'drill' });
const roleUrl = readRoleUrls(settings);
const { DRILL_EVERY: every, DRILL_DAILY: daily } = process.env;
const timing = daily !== undefined ? { daily } : every !== undefined ? { everySeconds: Number(every) } : null;
const lease = Number(process.env.DRILL_LEASE ?? '2');
try {
  const runtime = await startRuntime({
    settings,
    log,
    metrics,
    roleUrl,
    identifierKey: Buffer.alloc(32, 7),
    modules: [],
    jobs: [drillRun(deaths.find((death) => death === process.env.DRILL_DEATH) ?? null, timing)],
    queues: ['internal'],
    place: queuePlace(settings.redisUrl, settings.rolePrefix, roleUrl('worker')),
    times: {
      lock: 1_000,
      lease: { lease },
      relay: { look: 50, reconcile: Number(process.env.DRILL_RECONCILE ?? '1000'), settled: 1 },
    },
  });
  process.on('SIGTERM', () => {
    runtime.stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  });
  process.stdout.write('ready\n');
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
