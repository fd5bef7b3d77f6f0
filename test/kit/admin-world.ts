import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestHub } from './hub.ts';
import { behave, stewardOf } from './reconcile-drill.ts';

/*
 * A demonstration in which something of everything has happened: files on their way in at each step, runs that go on, rest and failed in
 * part, an account with its first password and one with a second factor. Ids of examples, for whoever looks at every screen.
 */

export interface AdminWorld {
  readonly citizen: string;
  readonly card: string;
  readonly result: string;
  readonly referral: string;
  readonly reexamination: string;
  readonly account: string;
  readonly imports: Readonly<Record<'awaited' | 'checked' | 'applied' | 'refused', string>>;
  readonly runs: Readonly<Record<'done' | 'paused' | 'running', string>>;
}

/** An account that has never logged in. */
export interface Newcomer {
  readonly login: string;
  readonly password: string;
}

type Data = Readonly<Record<string, unknown>>;

/** What a steward asks and changes on the graph. */
export class StewardHands {
  readonly #hub: TestHub;
  readonly #token: string;

  private constructor(hub: TestHub, token: string) {
    this.#hub = hub;
    this.#token = token;
  }

  static async of(hub: TestHub): Promise<StewardHands> {
    return new StewardHands(hub, await stewardOf(hub));
  }

  async ask<Answer>(query: string, variables: Data = {}): Promise<Answer> {
    const response = await fetch(`${this.#hub.address}/graphql`, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json', 'idempotency-key': randomUUID() },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await response.json()) as { readonly data?: Answer; readonly errors?: unknown };
    if (data === undefined || errors !== undefined) throw new Error(JSON.stringify(errors));
    return data;
  }

  /** One change; what it answered, or its refusal as an error. */
  async change(name: string, kind: string, input: Data, answered: string): Promise<Data> {
    const { done } = await this.ask<{ readonly done: { readonly ok: Data | null; readonly error: unknown } }>(
      `mutation ($input: ${kind}!) { done: ${name}(input: $input) { ok { ${answered} } error { code reason message } } }`,
      { input },
    );
    if (done.ok === null) throw new Error(`${name}: ${JSON.stringify(done.error)}`);
    return done.ok;
  }

  async comesTo(query: string, id: string, reached: (record: Data) => boolean): Promise<Data> {
    for (let left = 300; left > 0; left -= 1) {
      const { record } = await this.ask<{ readonly record: Data | null }>(query, { id });
      if (record !== null && reached(record)) return record;
      await sleep(100);
    }
    throw new Error(`${id} did not come to what was waited for`);
  }

  async sendFile(kind: string, text: string | null): Promise<string> {
    const size = Buffer.byteLength(text ?? 'x');
    const ok = await this.change(
      'startImport',
      'StartImportInput',
      { kind, fileName: 'tram-x12.csv', size },
      'import { id } upload { url }',
    );
    const { import: file, upload } = ok as {
      readonly import: { readonly id: string };
      readonly upload: { readonly url: string };
    };
    if (text !== null) await fetch(upload.url, { method: 'PUT', body: text, headers: { 'content-type': 'text/csv' } });
    return file.id;
  }

  async startReconcile(): Promise<string> {
    return String((await this.change('startReconcile', 'StartReconcileInput', { afterDays: 0 }, 'runId')).runId);
  }

  run(id: string, reached: (run: Data) => boolean): Promise<Data> {
    return this.comesTo('query ($id: ID!) { record: run(id: $id) { id version state done refused } }', id, reached);
  }
}

const importOf = 'query ($id: ID!) { record: import(id: $id) { id version state run { state } } }';
const rows = (good: number, bad: number, mark: string): string =>
  [
    'full_name,date_of_birth,gender,unit_code,source_key,Ghi chú',
    ...Array.from(
      { length: good + bad },
      (_, n) => `Trần Thị Nhập ${'Ă'.repeat(n + 1)},${n < bad ? '31/02/1990' : '15/03/1990'},2,x12,${mark}-${n},`,
    ),
    '',
  ].join('\n');

/** The simulated population database is slow afterwards, so that the last comparison goes on; `behave(…, {})` makes it well. */
export async function busyWorld(hub: TestHub): Promise<AdminWorld> {
  const steward = await StewardHands.of(hub);
  const imports = {
    awaited: await steward.sendFile('CITIZENS', null),
    checked: await steward.sendFile('CITIZENS', rows(6, 2, 'checked')),
    applied: await steward.sendFile('CITIZENS', rows(5, 1, 'applied')),
    refused: await steward.sendFile('CARDS', 'number,full_name\nx,y\n'),
  };
  const checked = await steward.comesTo(importOf, imports.applied, ({ state }) => state === 'CHECKED');
  await steward.change('applyImport', 'ApplyImportInput', { id: imports.applied, version: checked.version }, 'run { id }');
  await steward.comesTo(importOf, imports.applied, ({ run }) => (run as Data | null)?.state === 'DONE');
  await steward.comesTo(importOf, imports.checked, ({ state }) => state === 'CHECKED');
  await steward.comesTo(importOf, imports.refused, ({ state }) => state === 'REFUSED');

  // Some questions get an answer that the agreement does not allow: their people are refused.
  await behave(hub.dataDir, { mode: 'moved', share: 0.01 });
  const done = await steward.startReconcile();
  await steward.run(done, ({ state, refused }) => state === 'DONE' && Number(refused) > 0);
  await behave(hub.dataDir, { delay: 4_000 });
  const paused = await steward.startReconcile();
  const { version } = await steward.run(paused, ({ state }) => state === 'RUNNING');
  await steward.change('pauseRun', 'RunInput', { id: paused, version }, 'run { id }');
  const running = await steward.startReconcile();

  const { citizen, accounts } = await steward.ask<{
    readonly citizen: Readonly<Record<string, { readonly nodes?: readonly { readonly id: string }[] }>> & {
      readonly id: string;
      readonly insuranceCards: readonly { readonly id: string }[];
    };
    readonly accounts: { readonly nodes: readonly { readonly id: string }[] };
  }>(`{ citizen(personalId: "038090000001") { id insuranceCards { id } digitizedResults(first: 1) { nodes { id } }
       referralSlips(first: 1) { nodes { id } } reexaminationSlips(first: 1) { nodes { id } } }
     accounts(filter: { text: "clerk21" }, first: 1) { nodes { id } } }`);
  const first = (name: string): string => citizen[name]?.nodes?.[0]?.id ?? '';
  return {
    citizen: citizen.id,
    card: citizen.insuranceCards[0]?.id ?? '',
    result: first('digitizedResults'),
    referral: first('referralSlips'),
    reexamination: first('reexaminationSlips'),
    account: accounts.nodes[0]?.id ?? '',
    imports,
    runs: { done, paused, running },
  };
}

export async function newcomer(hub: TestHub): Promise<Newcomer> {
  const login = `moi-${randomUUID().slice(0, 8)}`;
  const steward = await StewardHands.of(hub);
  const input = { login, name: 'Người mới', orgUnitId: 'u1', role: 'clerk' };
  const { firstPassword } = await steward.change('createAccount', 'CreateAccountInput', input, 'firstPassword');
  return { login, password: String(firstPassword) };
}
