import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Client } from 'pg';
import { breachReport, type Seen } from '#kernel/audit/breach.ts';
import { openReadAudit, type OpenReadAudit } from '#kernel/audit/read-audit.ts';
import type { Query } from '#kernel/audit/sealed-rows.ts';
import type { Caller } from '#kernel/auth/principal.ts';
import { byteOrderMark, cellOf, csvLine } from '#kernel/csv-writer.ts';
import { everyUnit, openDatabase } from '#kernel/db/database.ts';
import { isUuid } from '#kernel/domain/ids.ts';
import { createMetrics } from '#kernel/metrics.ts';
import { asOption, operatorOf } from './operator.ts';
import { instantOf, textOf } from './register.ts';
import { UsageError, type Verb, type VerbArguments } from './verb.ts';

/** Most persons that one audit row names. */
const subjectsAtOnce = 100;

export const verb: Verb = {
  usage: '--principal LOGIN|CLIENT|ID --from TIME --to TIME [--csv FILE] [--names]',
  help: {
    en: 'Whose data an account or client saw in a window of time, and which fields: one line per citizen, for the notice within 72 hours. Ids alone unless --names is given; the report itself is audited.',
    vi: 'Tài khoản hoặc hệ thống khách đã xem dữ liệu của ai trong khoảng thời gian, gồm những trường nào: mỗi công dân một dòng, phục vụ thông báo trong 72 giờ. Chỉ gồm mã trừ khi có --names; việc lập báo cáo cũng được ghi nhật ký.',
  },
  options: {
    principal: {
      type: 'string',
      value: 'WHO',
      help: {
        en: 'Log-in of an account, id of a client, or id as the audit has it.',
        vi: 'Tên đăng nhập, mã hệ thống khách, hoặc mã như trong nhật ký.',
      },
    },
    from: {
      type: 'string',
      value: 'TIME',
      help: { en: 'From this moment (2026-11-24T09:00:00+07:00).', vi: 'Từ thời điểm này (2026-11-24T09:00:00+07:00).' },
    },
    to: { type: 'string', value: 'TIME', help: { en: 'Up to this moment, not included.', vi: 'Đến trước thời điểm này.' } },
    csv: {
      type: 'string',
      value: 'FILE',
      help: {
        en: 'Where the list goes. Without it only the numbers are told.',
        vi: 'Tệp danh sách. Không nêu thì chỉ cho biết số lượng.',
      },
    },
    names: {
      type: 'boolean',
      help: { en: 'With full names, each audited as read.', vi: 'Kèm họ tên, mỗi người đều được ghi nhật ký là đã xem.' },
    },
    as: asOption,
  },
  async run(context, args) {
    const [from, to] = windowOf(args);
    const who = textOf(args, 'principal');
    const path = args.text('csv');
    const names = args.flag('names');
    if (names && path === undefined) throw new UsageError({ en: '--names needs --csv FILE.', vi: '--names cần kèm --csv FILE.' });
    const opened = await context.database();
    const database = await openDatabase({
      url: opened.roleUrl('organisation'),
      entities: [],
      connections: 1,
      applicationName: 'hub breach-report',
    });
    const caller = await operatorOf(context, args, database, 'breach-report').finally(() => database.close());
    if (!caller.principal.permissions.includes('audit:read')) {
      throw new UsageError({ en: 'This account may not read the audit.', vi: 'Tài khoản này không được xem nhật ký truy cập.' });
    }
    const audit = openReadAudit({ connection: opened.roleUrl('reader'), registry: createMetrics('hub-breach-report').registry });
    const client = new Client({ connectionString: opened.ownerUrl, application_name: 'hub breach-report' });
    await client.connect();
    const query: Query = async <Row extends object>(text: string, values: readonly unknown[] = []) =>
      (await client.query<Row & Record<string, unknown>>(text, [...values])).rows;
    const progress = context.progress({ en: 'events', vi: 'sự kiện' });
    const began = performance.now();
    try {
      await client.query(`set work_mem = '256MB'; set hub.scope = '${everyUnit}'; set timezone = 'UTC'`);
      const principal = await principalOf(query, who);
      await audit.commit({
        caller,
        subgraph: 'organisation',
        action: 'audit.read',
        subjects: isUuid(principal) ? [principal] : [],
        fields: ['AuditEvent.subjects'],
      });
      const report = await breachReport(
        { principal, from, to },
        { query, signal: context.signal, progress: (done, total) => progress.at(done, total) },
      );
      progress.end();
      const counts = { citizens: 0, others: 0 };
      const fields = new Set<string>();
      const lines = async function* (): AsyncGenerator<string> {
        yield `${byteOrderMark}${csvLine(['kind', 'id', 'unit_code', ...(names ? ['full_name'] : []), 'times', 'first_seen', 'last_seen', 'fields', 'actions'])}`;
        for await (const page of report.pages()) {
          const persons = await personsOf(query, page, names);
          if (names) await noteNames(audit, caller, [...persons.keys()]);
          yield page
            .map((seen) => {
              const person = persons.get(seen.subject);
              if (person === undefined) counts.others += 1;
              else counts.citizens += 1;
              for (const field of seen.fields) fields.add(field);
              const { subject, times, first, last } = seen;
              return csvLine(
                [
                  person === undefined ? 'OTHER' : 'CITIZEN',
                  subject,
                  person?.unitCode ?? null,
                  ...(names ? [person?.fullName ?? null] : []),
                  String(times),
                  first,
                  last,
                  seen.fields.join(' '),
                  seen.actions.join(' '),
                ].map((cell) => cellOf(cell)),
              );
            })
            .join('');
        }
      };
      await write(path, lines(), context.signal);
      const seconds = Math.round((performance.now() - began) / 10) / 100;
      const { events } = report;
      context.say({
        en: `${counts.citizens} citizens and ${counts.others} other records in ${events} answers; ${fields.size} fields; ${seconds} s.${path === undefined ? '' : ` The list is in ${path}.`}`,
        vi: `${counts.citizens} công dân và ${counts.others} hồ sơ khác trong ${events} lượt trả lời; ${fields.size} trường; ${seconds} giây.${path === undefined ? '' : ` Danh sách ở ${path}.`}`,
      });
      return {
        exit: 0,
        json: {
          principal,
          from: from.toISOString(),
          to: to.toISOString(),
          events,
          ...counts,
          fields: [...fields].sort(),
          file: path ?? null,
          seconds,
        },
      };
    } finally {
      await Promise.all([client.end(), audit.close()]);
    }
  },
};

function windowOf(args: VerbArguments): readonly [Date, Date] {
  const from = instantOf(args, 'from');
  const to = instantOf(args, 'to');
  if (from !== null && to !== null && from < to) return [from, to];
  throw new UsageError({
    en: 'Give --from and --to, the earlier moment first.',
    vi: 'Hãy nêu --from và --to, thời điểm sớm hơn trước.',
  });
}

/** As the audit names him; accounts and clients that no longer exist are known to it by their id alone. */
async function principalOf(query: Query, who: string): Promise<string> {
  const [known] = await query<{ id: string | null }>(
    `select coalesce((select c.id from organisation.client c where c.id = $1), (select a.id::text from organisation.account a where a.login = $1),
       (select e.principal from hub.audit_event e where e.principal = $1 limit 1)) as id`,
    [who],
  );
  const id = known?.id ?? null;
  if (id !== null) return id;
  throw new UsageError({
    en: `Neither an account nor a client nor the audit knows "${who}".`,
    vi: `Không có tài khoản, hệ thống khách hay dòng nhật ký nào của "${who}".`,
  });
}

interface Person {
  readonly id: string;
  readonly unitCode: string | null;
  readonly fullName: string | null;
}

/** Those of the page who are citizens. */
async function personsOf(query: Query, page: readonly Seen[], names: boolean): Promise<ReadonlyMap<string, Person>> {
  const rows = await query<Person>(
    `select c.id::text as id, u.code as "unitCode", ${names ? 'c.full_name' : 'null'} as "fullName"
     from citizens.citizen c left join hub.unit u on u.number = c.unit_no where c.id = any ($1::uuid[])`,
    [page.map(({ subject }) => subject)],
  );
  return new Map(rows.map((row) => [row.id, row]));
}

/** Durable before the names are written. */
async function noteNames(audit: OpenReadAudit, caller: Caller, ids: readonly string[]): Promise<void> {
  const pages = Array.from({ length: Math.ceil(ids.length / subjectsAtOnce) }, (_, n) =>
    ids.slice(n * subjectsAtOnce, (n + 1) * subjectsAtOnce),
  );
  await Promise.all(
    pages.map((subjects) =>
      audit.commit({ caller, subgraph: 'citizens', action: 'citizen.read', subjects, fields: ['Citizen.fullName'] }),
    ),
  );
}

/** Without a file the lines are counted alone. Half a file is never taken for a whole one. */
async function write(path: string | undefined, lines: AsyncGenerator<string>, signal: AbortSignal): Promise<void> {
  if (path === undefined) {
    while ((await lines.next()).done !== true) signal.throwIfAborted();
    return;
  }
  const part = `${path}.part`;
  try {
    await pipeline(Readable.from(lines), createWriteStream(part, { mode: 0o600 }), { signal });
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}
