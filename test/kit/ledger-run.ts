import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { request, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Ledger, type Verdict } from './ledger.ts';
import { asAdministrator, type Fault } from './faults.ts';
import { checkout, type TestHub } from './hub.ts';

/*
 * Writers against a whole hub while its processes are killed: each writes citizens of its own, sends a mutation again with the same key until it is
 * answered, cuts some connections right after sending, and sends some mutations twice in the same moment.
 */

interface Sent {
  readonly status: number;
  readonly body: string;
}

/** One request on a connection of its own; `cutAfter`: milliseconds until the client hangs up. Rejects where no whole answer came. */
function send(address: string, headers: Readonly<Record<string, string>>, body: string, cutAfter: number | null): Promise<Sent> {
  return new Promise((resolve, reject) => {
    const answer = (response: IncomingMessage): void => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => void pieces.push(piece));
      response.on('error', reject);
      response.on('end', () => {
        if (response.complete) resolve({ status: response.statusCode ?? 0, body: Buffer.concat(pieces).toString('utf8') });
        else reject(new Error('cut'));
      });
    };
    const sent = request(address, { method: 'POST', headers, timeout: 12_000 }, answer);
    sent.on('error', reject);
    sent.on('timeout', () => sent.destroy(new Error('no answer')));
    sent.end(body);
    if (cutAfter !== null) setTimeout(() => sent.destroy(new Error('cut')), cutAfter);
  });
}

export interface Run {
  readonly ledger: Ledger;
  /** Names of the faults, in order. */
  readonly struck: readonly string[];
  /** Milliseconds from each fault until a write was acknowledged that began after it. */
  readonly outages: readonly number[];
  /** Mutations that were sent again. */
  readonly repeated: number;
}

export interface RunOptions {
  readonly writers: number;
  /** Ends when both are reached, and every fault was struck. */
  readonly milliseconds: number;
  readonly acknowledged: number;
  /** Milliseconds from one fault being over to the next. */
  readonly strikeEvery: number;
  /** In this order, and from the beginning again. */
  readonly faults: readonly Fault[];
}

/** One statement over everything the writer `$1` did. */
const looseEnds = `
  with change as (select citizen_id, version, cause_id, action from citizens.change where principal = $1),
  person as (select c.id, c.version, (select count(*) from change h where h.citizen_id = c.id) as changes
    from citizens.citizen c where c.id in (select citizen_id from change))
  select
    abs((select count(*) from change) - (select count(*) from hub.audit_event where principal = $1
      and action in ('citizen.created','citizen.changed')))::int as audit,
    abs((select count(*) from change) - (select count(*) from citizens.idempotency where principal = $1))::int as answers,
    abs((select count(*) from change where action = 'citizen.created') - (select count(*) from hub.outbox o
      where o.kind = 'CITIZEN' and o.subject in (select id from person)))::int as messages,
    (select count(*) from person where version <> changes)::int as versions,
    ${['insurance', 'results', 'slips']
      .map(
        (schema) =>
          `(select count(*) from person p where not exists (select from ${schema}.citizen r where r.id = p.id))::int as ${schema}`,
      )
      .join(', ')}`;

const client = 'ledger';
/** Mark of a run in every effect of it. */
const markOf = (writer: number, turn: number): string => `Sổ cái ${String(writer)} lượt ${String(turn)}`;

export class LedgerRun {
  readonly #hub: TestHub;
  readonly #unit: string;
  readonly #secret: string;
  readonly #ledger = new Ledger();
  #token = '';
  #ending = false;
  #repeated = 0;
  #lastAcknowledged = 0;
  #waiting: { readonly since: number; readonly done: (milliseconds: number) => void } | null = null;

  private constructor(hub: TestHub, unit: string, secret: string) {
    this.#hub = hub;
    this.#unit = unit;
    this.#secret = secret;
  }

  /** Registers a writer that may what a clerk of x11 may, with points for everything. */
  static async open(hub: TestHub): Promise<LedgerRun> {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [
        join(checkout, 'cli', 'hub.mjs'),
        ...[
          'clients',
          'add',
          client,
          '--name',
          'Ledger',
          '--unit',
          'x11',
          '--role',
          'integrator',
          '--points',
          '100000000',
          '--json',
        ],
      ],
      { env: { ...process.env, INIT_CWD: checkout, HUB_DATA_DIR: hub.dataDir }, cwd: checkout },
    );
    const { secret } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { secret: string };
    const unit = await asAdministrator(hub.dataDir, async (sql) => {
      await sql.query(`update organisation.client set role = 'clerk' where id = $1`, [client]);
      const { rows } = await sql.query<{ number: number }>(`select number from hub.unit where code = 'x11' and valid_to is null`);
      return `u${String(rows[0]?.number ?? 0)}`;
    });
    return new LedgerRun(hub, unit, secret);
  }

  async run(options: RunOptions): Promise<Run> {
    const until = performance.now() + options.milliseconds;
    const writing = Promise.all(Array.from({ length: options.writers }, (_, writer) => this.#write(writer)));
    const { faults } = options;
    const struck: string[] = [];
    const outages: number[] = [];
    const more = () =>
      performance.now() < until || this.#ledger.acknowledgements < options.acknowledged || struck.length < faults.length;
    for (let nth = 0; more(); nth += 1) {
      await sleep(options.strikeEvery);
      const fault = faults[nth % faults.length];
      if (fault === undefined) break;
      await fault.strike(this.#hub);
      struck.push(fault.name);
      // Writers end only when they are told to, or by a refusal that nobody expected: then there is nothing to wait for.
      outages.push(await Promise.race([this.#outage(), writing.then(() => 0)]));
    }
    this.#ending = true;
    await writing;
    return { ledger: this.#ledger, struck, outages, repeated: this.#repeated };
  }

  /** What is there once everything under way has ended: each effect by its mark. */
  async verdict(): Promise<Verdict> {
    const effects = await asAdministrator(this.#hub.dataDir, async (sql) => {
      const { rows } = await sql.query<{ mark: string }>(
        `select after->>'birthplace' as mark from citizens.change where principal = $1 and after ? 'birthplace'`,
        [client],
      );
      return rows.map(({ mark }) => mark);
    });
    return this.#ledger.judge(effects);
  }

  /**
   * What an effect must bring along, once the feeds have caught up: how many of the changes lack their audit row, their answer for repeats or their
   * message, how many citizens have another version than changes, and how many a replica lacks or has more than once.
   */
  async loose(patience: number): Promise<Readonly<Record<string, number>>> {
    const until = performance.now() + patience;
    for (;;) {
      const found = await asAdministrator(
        this.#hub.dataDir,
        async (sql) => (await sql.query<Record<string, number>>(looseEnds, [client])).rows[0],
      );
      const counts = found ?? { nothing: 1 };
      if (Object.values(counts).every((count) => count === 0) || performance.now() > until) return counts;
      await sleep(300);
    }
  }

  /** A write that begins after the kill and is acknowledged: the hub is back. */
  #outage(): Promise<number> {
    return new Promise((resolve) => {
      this.#waiting = { since: performance.now(), done: resolve };
    });
  }

  async #write(writer: number): Promise<void> {
    const own: { readonly id: string; version: number }[] = [];
    for (let turn = 0; !this.#ending; turn += 1) {
      const mark = markOf(writer, turn);
      const known = own.length >= 3 && turn % 3 !== 0 ? own[turn % own.length] : undefined;
      const name = known === undefined ? 'create' : 'update';
      const input =
        known === undefined
          ? { orgUnitId: this.#unit, fullName: 'Người Của Sổ', birthplace: mark, dateOfBirth: '1990' }
          : { id: known.id, version: known.version, birthplace: mark };
      this.#ledger.attempted(mark);
      const answer = await this.#untilAnswered(name, input, mark);
      const { id, version } = answer;
      if (known === undefined) own.push({ id, version });
      else known.version = version;
    }
  }

  /** Sends it again with the same key until it is answered; the citizen as he is answered. */
  async #untilAnswered(
    name: 'create' | 'update',
    input: object,
    mark: string,
  ): Promise<{ readonly id: string; readonly version: number }> {
    const key = randomUUID();
    const type = name === 'create' ? 'CreateCitizenInput' : 'UpdateCitizenInput';
    const body = JSON.stringify({
      query: `mutation W($input: ${type}!) { w: ${name}Citizen(input: $input) { ok { citizen { id version } } error { code reason } } }`,
      variables: { input },
    });
    for (let time = 0; ; time += 1) {
      const began = performance.now();
      const chance = Math.random();
      // The first time only: some hang up while the hub is at work, some send it twice in one moment.
      const cutAfter = time === 0 && chance < 0.05 ? Math.random() * 40 : null;
      const twice = time === 0 && chance > 0.95;
      const tries = await Promise.allSettled(
        (twice ? [0, 1] : [0]).map(() => send(`${this.#hub.address}/graphql`, this.#headers(key), body, cutAfter)),
      );
      let answered: { readonly id: string; readonly version: number } | null = null;
      for (const tried of tries) {
        if (tried.status === 'rejected') continue;
        const read = await this.#read(tried.value);
        if (read === null) continue;
        this.#ledger.acknowledged(mark, JSON.stringify(read));
        answered = read;
      }
      if (answered !== null) {
        this.#lastAcknowledged = performance.now();
        const waiting = this.#waiting;
        if (waiting !== null && began > waiting.since) {
          this.#waiting = null;
          waiting.done(this.#lastAcknowledged - waiting.since);
        }
        return answered;
      }
      this.#repeated += 1;
      await sleep(20 + Math.random() * 80);
    }
  }

  /** `null`: no answer that decides anything, so it is sent again. */
  async #read({ status, body }: Sent): Promise<{ readonly id: string; readonly version: number } | null> {
    const answer = JSON.parse(body) as {
      data?: {
        w?: { ok?: { citizen?: { id: string; version: number } | null } | null; error?: { code: string } | null } | null;
      } | null;
      errors?: readonly { extensions?: { code?: string } }[];
    };
    const codes = [answer.data?.w?.error?.code, ...(answer.errors ?? []).map(({ extensions }) => extensions?.code)];
    if (status === 401 || codes.includes('UNAUTHENTICATED')) {
      await this.#renew();
      return null;
    }
    const refused = codes.find((code) => code !== undefined && !['DEGRADED', 'UPSTREAM_BUSY', 'RATE'].includes(code));
    if (refused !== undefined) throw new Error(`A writer's own record was refused: ${body}`);
    return answer.data?.w?.ok?.citizen ?? null;
  }

  #headers(key: string): Readonly<Record<string, string>> {
    return { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json', 'idempotency-key': key };
  }

  #renewing: Promise<void> | null = null;
  #renew(): Promise<void> {
    this.#renewing ??= (async () => {
      try {
        const basic = Buffer.from(`${client}:${encodeURIComponent(this.#secret)}`).toString('base64');
        const { body } = await send(
          `${this.#hub.address}/oauth/token`,
          { authorization: `Basic ${basic}`, 'content-type': 'application/x-www-form-urlencoded' },
          'grant_type=client_credentials',
          null,
        );
        this.#token = (JSON.parse(body) as { access_token?: string }).access_token ?? this.#token;
      } catch {
        // The hub is down: the next write says so too.
      } finally {
        this.#renewing = null;
      }
    })();
    return this.#renewing;
  }
}
