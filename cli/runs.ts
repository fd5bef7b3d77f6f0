import { openDatabase as openWriting, everyUnit, type Database } from '#kernel/db/database.ts';
import { systemClock } from '#kernel/clock.ts';
import { createLog } from '#kernel/log.ts';
import { createMetrics } from '#kernel/metrics.ts';
import { allSubgraphs } from '../subgraphs/all.ts';
import { runHere, type RunEnd } from '../workers/run-here.ts';
import { wordAt } from './register.ts';
import { UsageError, type Verb, type VerbContext, type VerbOutcome, type Wording } from './verb.ts';

const orders = { pause: 'PAUSE', resume: 'RESUME', cancel: 'CANCEL', rerun: 'RERUN', drop: 'DROP' } as const;
const session = { units: everyUnit, principal: 'cli' };
/** Runs that a list shows. */
const listed = 50;

interface RunRow extends Omit<RunEnd, 'state'> {
  readonly state: string;
  readonly kind: string;
  readonly startedBy: string;
  readonly startedAt: string | null;
  readonly definition: string | null;
  readonly poison: number;
}

const columns = `r.id::text, r.kind, r.state, r.total, r.done, r.refused, r.counts, r.report, r.started_by as "startedBy", r.definition,
  to_char(r.started_at at time zone 'Asia/Ho_Chi_Minh', 'DD/MM/YYYY HH24:MI') as "startedAt",
  (select count(*)::int from hub.run_page p where p.run_id = r.id and p.state = 'POISON') as poison`;

export const verb: Verb = {
  usage: 'list | show ID | pause ID | resume ID | cancel ID | rerun ID | drop ID | work ID',
  help: {
    en: 'Long work of the hub: its progress; pause it, go on, cancel it; do again what failed (rerun) or leave it (drop). `work` goes on with a run in this process, also without a running hub.',
    vi: 'Các lượt chạy dài của hệ thống: tiến độ; tạm dừng, tiếp tục, hủy; chạy lại phần lỗi (rerun) hoặc bỏ qua (drop). `work` làm tiếp một lượt chạy ngay trong lệnh này, kể cả khi hệ thống không chạy.',
  },
  options: {},
  async run(context, args) {
    const [act = 'list'] = args.words;
    const opened = await context.database();
    const database = await openWriting({
      url: opened.roleUrl('organisation'),
      entities: [],
      connections: 1,
      applicationName: 'hub-runs',
    });
    try {
      if (act === 'list') return await list(context, database);
      const known = act === 'show' || act === 'work' || Object.hasOwn(orders, act);
      if (!known)
        throw new UsageError({ en: `There is no "runs ${act}"; see --help.`, vi: `Không có "runs ${act}"; xem --help.` });
      const id = wordAt(args, 1, 'ID');
      if (act === 'work') return await work(context, database, id);
      if (act !== 'show') await order(database, id, orders[act as keyof typeof orders]);
      return show(context, await found(database, id));
    } finally {
      await database.close();
    }
  },
};

async function list(context: VerbContext, database: Database): Promise<VerbOutcome> {
  const rows = await database.transaction(session, (tx) =>
    tx.query<RunRow>(`select ${columns} from hub.run r order by r.id desc limit ${String(listed)}`),
  );
  for (const row of rows) context.say(line(row));
  if (rows.length === 0) context.say({ en: 'There were no runs.', vi: 'Chưa có lượt chạy nào.' });
  return { exit: 0, json: { runs: rows } };
}

function line({ id, kind, state, done, refused, total, startedAt }: RunRow): string {
  const of = total === null ? '?' : String(total);
  return `${id}  ${kind.padEnd(9)}  ${state.padEnd(9)}  ${String(done + refused)}/${of}${refused > 0 ? ` (-${String(refused)})` : ''}  ${startedAt ?? ''}`;
}

function show(context: VerbContext, row: RunRow): VerbOutcome {
  context.say(line(row));
  for (const [name, value] of Object.entries(row.counts)) context.say(`  ${name}: ${String(value)}`);
  if (row.poison > 0) {
    context.say({
      en: `${String(row.poison)} pages failed five times: hub runs rerun ${row.id}, or drop ${row.id}.`,
      vi: `${String(row.poison)} phần lỗi năm lần: hub runs rerun ${row.id}, hoặc drop ${row.id}.`,
    });
  }
  return { exit: 0, json: { ...row } };
}

async function found(database: Database, id: string): Promise<RunRow> {
  const rows = await database.transaction(session, (tx) =>
    tx.query<RunRow>(`select ${columns} from hub.run r where r.id::text = $1`, [id]),
  );
  const [row] = rows;
  if (row === undefined) throw new UsageError({ en: `There is no run ${id}.`, vi: `Không có lượt chạy ${id}.` });
  return row;
}

const refusals: Readonly<Record<string, Wording>> = {
  STATE: {
    en: 'In its present state this cannot be done with the run; see hub runs show.',
    vi: 'Trạng thái hiện tại của lượt chạy không cho phép thao tác này; xem hub runs show.',
  },
  NOTHING: { en: 'Nothing of this run failed.', vi: 'Lượt chạy này không có phần nào bị lỗi.' },
};

async function order(database: Database, id: string, what: string): Promise<void> {
  await found(database, id);
  const [row] = await database.transaction(session, (tx) =>
    tx.query<{ readonly answer: string }>('select answer from hub.order_run($1, null, $2)', [id, what]),
  );
  const refused = refusals[row?.answer ?? 'STATE'];
  if (refused !== undefined) throw new UsageError(refused);
}

async function work(context: VerbContext, database: Database, id: string): Promise<VerbOutcome> {
  const row = await found(database, id);
  const job = allSubgraphs.flatMap(({ jobs = [] }) => jobs).find((one) => one.name === row.definition);
  if (job?.type !== 'run') {
    throw new UsageError({
      en: 'This run belongs to the command that started it: give that command again.',
      vi: 'Lượt chạy này thuộc về lệnh đã bắt đầu nó: hãy chạy lại lệnh đó.',
    });
  }
  const opened = await context.database();
  const progress = context.progress({ en: 'done', vi: 'đã làm' });
  const { settings, signal } = context;
  const end = await runHere(
    {
      job,
      roleUrl: (role) => opened.roleUrl(role),
      modules: allSubgraphs,
      tools: {
        settings,
        clock: systemClock,
        identifierKey: opened.identifierKey,
        log: createLog({ level: 'error', file: settings.logFile, process: 'hub runs' }),
        metrics: createMetrics('command'),
      },
      signal,
      progress: (done, total) => progress.at(done, total),
    },
    id,
  );
  progress.end();
  const outcome = show(context, await found(database, id));
  return { ...outcome, exit: end.state === 'DONE' && end.refused === 0 ? 0 : 1 };
}
