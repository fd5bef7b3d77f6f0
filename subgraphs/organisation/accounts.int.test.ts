import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { Registry } from 'prom-client';
import { permissionsOf, roles, type Role } from '#kernel/auth/permissions.ts';
import type { Caller } from '#kernel/auth/principal.ts';
import { verifyPassword, verifySecret } from '#kernel/auth/secrets.ts';
import { clientSubject } from '#kernel/identifier-hash.ts';
import { changesOf, type Changes } from '#kernel/db/change.ts';
import { openReadDoor } from '#kernel/db/read-door-pg.ts';
import { openRuntime, type SubgraphRuntime } from '#kernel/graph/subgraph-runtime.ts';
import { openIdentity, organisation, type Identity } from './index.ts';
import { withClient } from '../../test/kit/database.ts';
import { createTestDatabase, type TestDatabase } from '../../test/kit/postgres.ts';
import { caller, scopes, unit } from '../../test/kit/record-world.ts';
import { holdsAllOf } from './register-rules.ts';

/* Accounts and clients on the graph: who may do what to whom, what is told once, and what is kept. */

let database: TestDatabase;
let door: ReturnType<typeof openReadDoor>;
let changes: Changes;
let runtime: SubgraphRuntime;
let identity: Identity;
let steward: Caller;
/** A steward of the first centre alone. */
let steward1: Caller;
let audited: readonly string[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  door = openReadDoor({ connection: database.roles.reader, registry: new Registry() });
  const own = await changesOf(organisation, database.roles.organisation);
  if (own === null) throw new Error('organisation has no mutations');
  changes = own;
  const identifierKey = Buffer.alloc(32, 7);
  const clock = { now: () => new Date() };
  runtime = openRuntime(
    organisation,
    { door, changes, clock, identifierKey },
    {
      commit: ({ subjects }) => {
        audited = subjects;
        return Promise.resolve();
      },
    },
  );
  identity = openIdentity({
    url: database.roles.organisation,
    identifierKey,
    issuer: () => 'http://hub',
    clock,
    report: () => undefined,
  });
  await truth(
    `insert into hub.unit (number, code, name, level, parent_number, valid_from) values
       (1, 'p', 'Sở Y tế', 'PROVINCE', null, '2025-07-01'), (2, 'c1', 'Trung tâm 1', 'CENTRE', 1, '2025-07-01'), (3, 'c2', 'Trung tâm 2', 'CENTRE', 1, '2025-07-01'),
       (4, 'x11', 'Trạm 11', 'STATION', 2, '2025-07-01'), (5, 'x12', 'Trạm 12', 'STATION', 2, '2025-07-01'), (6, 'x21', 'Trạm 21', 'STATION', 3, '2025-07-01'),
       (7, '52901', 'Bệnh viện A', 'FACILITY', 1, '2025-07-01')`,
  );
  steward = await standing('steward', unit.p, scopes.province);
  steward1 = await standing('steward', unit.c1, scopes.centre1);
}, 60_000);
afterAll(async () => {
  await runtime.close();
  await changes.close();
  await identity.close();
  await door.close();
  await database.close();
});

/** A caller whose account stands in the database. */
async function standing(role: Role, unitNo: number, scope: string): Promise<Caller> {
  const known = caller(role, { scope });
  const id = randomUUID();
  await truth('insert into organisation.account (id, login, name, unit_no, role) values ($1, $2, $3, $4, $5)', [
    id,
    `a${id}`,
    role,
    unitNo,
    role,
  ]);
  return { ...known, principal: { ...known.principal, id, kind: 'ACCOUNT', unitNo } };
}

async function truth<Row extends object>(text: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
  return withClient(database.ownerUrl, async (client) => {
    await client.query(`select set_config('hub.scope', '{(,)}', false)`);
    return (await client.query<Row>(text, [...values])).rows;
  });
}

async function ask(
  who: Caller,
  query: string,
  variables: object = {},
): Promise<{ data: Fields | null; errors: readonly string[] }> {
  audited = [];
  const answer = await runtime.execute({ query, variables: { ...variables }, caller: who, signal: AbortSignal.timeout(10_000) });
  await answer.audit();
  const errors = (answer.errors ?? []).map(({ extensions }) => `${String(extensions.code)} ${String(extensions.reason)}`);
  return { data: JSON.parse(JSON.stringify(answer.data ?? null)) as Fields | null, errors };
}

type Fields = Readonly<Record<string, unknown>>;

interface Payload {
  readonly ok: {
    readonly account?: Fields | null;
    readonly client?: Fields | null;
    readonly firstPassword?: string | null;
    readonly secret?: string | null;
  } | null;
  readonly error: { readonly code: string; readonly reason: string; readonly field: string | null } | null;
}

const accountFields =
  'id version login name email role disabledAt mustChangePassword secondFactor createdAt lastSeenAt orgUnit { id }';
const documents: Readonly<Record<string, readonly [input: string, ok: string]>> = {
  createAccount: ['CreateAccountInput', `account { ${accountFields} } firstPassword`],
  updateAccount: ['UpdateAccountInput', `account { ${accountFields} }`],
  disableAccount: ['AccountInput', `account { ${accountFields} }`],
  enableAccount: ['AccountInput', `account { ${accountFields} }`],
  resetPassword: ['AccountInput', `account { ${accountFields} } firstPassword`],
  dropSecondFactor: ['AccountInput', `account { ${accountFields} }`],
  revokeClient: ['ClientInput', 'client { id version revokedAt }'],
  rotateClientSecret: ['RotateClientSecretInput', 'client { id version } secret'],
};

async function mutate(who: Caller, name: string, input: object, key = randomUUID()): Promise<Payload> {
  const [type, ok] = documents[name] ?? ['', ''];
  const { data, errors } = await ask(
    { ...who, idempotencyKey: key },
    `mutation M($input: ${type}!) { done: ${name}(input: $input) { ok { ${ok} } error { code reason field } } }`,
    { input },
  );
  expect(errors).toEqual([]);
  return (data as { done: Payload }).done;
}

let made = 0;
const newcomer = (orgUnitId: string, role: Role): { login: string; name: string; orgUnitId: string; role: string } => {
  made += 1;
  return { login: `nhanvien${String(made)}`, name: `Nhân viên ${String(made)}`, orgUnitId, role };
};

const hashOf = async (id: unknown): Promise<string | null> =>
  (await truth<{ hash: string | null }>('select password_hash as hash from organisation.account where id = $1', [id]))[0]?.hash ??
  null;

/** Everything of accounts, clients and their history, to see that nothing changed. */
const everything = (): Promise<readonly object[]> =>
  truth(`select (select jsonb_agg(to_jsonb(a) - 'last_seen_at' order by id) from organisation.account a) as accounts,
    (select jsonb_agg(c order by id) from organisation.client c) as clients, (select count(*)::int from organisation.change) as changes`);

test('a new account has a first password that is told once, to whoever sent the request first [F26]', async () => {
  const key = randomUUID();
  const input = { ...newcomer('u4', 'clerk'), email: 'Clerk@Example.org' };
  const first = await mutate(steward, 'createAccount', input, key);
  expect(first.error).toBeNull();
  expect(first.ok?.account).toMatchObject({
    version: 1,
    login: input.login,
    name: input.name,
    email: 'clerk@example.org',
    role: 'clerk',
    orgUnit: { id: 'u4' },
    disabledAt: null,
    mustChangePassword: true,
    secondFactor: false,
    lastSeenAt: null,
  });
  const password = first.ok?.firstPassword ?? '';
  expect(password.length).toBeGreaterThanOrEqual(16);
  const id = first.ok?.account?.id;
  expect(await verifyPassword(await hashOf(id), password)).toBe(true);
  const again = await mutate(steward, 'createAccount', input, key);
  expect(again.ok).toEqual({ account: first.ok?.account, firstPassword: null });
  // Nor does it stand anywhere else.
  const kept = await truth(
    `select 1 from organisation.idempotency where outcome::text like '%' || $1 || '%'
     union all select 1 from organisation.change where after::text like '%' || $1 || '%'
     union all select 1 from hub.audit_event e where e::text like '%' || $1 || '%'`,
    [password],
  );
  expect(kept).toEqual([]);
  expect((await mutate(steward, 'createAccount', { ...input, name: 'Khác' })).error).toMatchObject({
    reason: 'LOGIN_TAKEN',
    field: 'login',
  });
});

test('twins of one new account are one account, and one of them is told the password [F28]', async () => {
  const key = randomUUID();
  const input = newcomer('u5', 'clerk');
  const twins = await Promise.all([1, 2, 3, 4].map(() => mutate(steward, 'createAccount', input, key)));
  expect(new Set(twins.map(({ ok }) => ok?.account?.id)).size).toBe(1);
  const told = twins.flatMap(({ ok }) => ok?.firstPassword ?? []);
  expect(told.length).toBe(1);
  for (const password of told) expect(await verifyPassword(await hashOf(twins[0]?.ok?.account?.id), password)).toBe(true);
});

test('an account is corrected, moved, disabled and let in again, each with history and audit', async () => {
  const { ok } = await mutate(steward, 'createAccount', newcomer('u4', 'clerk'));
  const id = String(ok?.account?.id);
  const moved = await mutate(steward, 'updateAccount', {
    id,
    version: 1,
    name: ' Lê  Thị C ',
    email: 'c@example.org',
    orgUnitId: 'u2',
    role: 'centre',
  });
  expect(moved.ok?.account).toMatchObject({
    version: 2,
    name: 'Lê Thị C',
    email: 'c@example.org',
    orgUnit: { id: 'u2' },
    role: 'centre',
  });
  // Equal to what stands there: nothing happened.
  expect((await mutate(steward, 'updateAccount', { id, version: 2, role: 'centre' })).ok?.account).toMatchObject({ version: 2 });
  expect((await mutate(steward, 'updateAccount', { id, version: 1, name: 'x' })).error).toMatchObject({
    reason: 'VERSION_STALE',
  });
  const off = await mutate(steward, 'disableAccount', { id, version: 2 });
  expect(off.ok?.account).toMatchObject({ version: 3, disabledAt: expect.any(String) });
  expect(await identity.principals.find(id, new Date(Date.now() + 60_000))).toBeNull();
  const on = await mutate(steward, 'enableAccount', { id, version: 3 });
  expect(on.ok?.account).toMatchObject({ version: 4, disabledAt: null });
  const principal = await identity.principals.find(id, new Date(Date.now() + 60_000));
  expect(principal).toMatchObject({ role: 'centre', unitNo: unit.c1 });
  expect(
    await truth('select version, action, before, after from organisation.change where record_id = $1 order by version', [id]),
  ).toMatchObject([
    { version: 1, action: 'added' },
    {
      version: 2,
      action: 'changed',
      before: { orgUnit: 'u4', role: 'clerk', email: null },
      after: { orgUnit: 'u2', role: 'centre' },
    },
    { version: 3, action: 'disabled' },
    { version: 4, action: 'enabled' },
  ]);
  expect(
    await truth(
      `select count(*)::int as count from hub.audit_event where action = 'account.changed' and $1::uuid = any(subjects)`,
      [id],
    ),
  ).toEqual([{ count: 4 }]);
});

test('a new password and a lost phone: the old password opens nothing, the second factor is gone', async () => {
  const { ok } = await mutate(steward, 'createAccount', newcomer('u4', 'clerk'));
  const id = String(ok?.account?.id);
  await truth(`update organisation.account set totp_secret = 'sealed', must_change_password = false where id = $1`, [id]);
  const key = randomUUID();
  const reset = await mutate(steward, 'resetPassword', { id, version: 1 }, key);
  expect(reset.ok?.account).toMatchObject({ version: 2, mustChangePassword: true, secondFactor: true });
  const hash = await hashOf(id);
  expect(await verifyPassword(hash, reset.ok?.firstPassword ?? '')).toBe(true);
  expect(await verifyPassword(hash, ok?.firstPassword ?? '')).toBe(false);
  expect((await mutate(steward, 'resetPassword', { id, version: 1 }, key)).ok?.firstPassword).toBeNull();
  expect((await mutate(steward, 'dropSecondFactor', { id, version: 2 })).ok?.account).toMatchObject({
    version: 3,
    secondFactor: false,
  });
});

test('when an account was used last is seen, also after its session has ended', async () => {
  const { ok } = await mutate(steward, 'createAccount', newcomer('u4', 'clerk'));
  const id = String(ok?.account?.id);
  await identity.sessions.open('key-of-last-seen', id, 'Firefox');
  await identity.sessions.end('key-of-last-seen', false);
  const { data } = await ask(steward, `query ($id: ID!) { account(id: $id) { lastSeenAt version } }`, { id });
  expect(data?.account).toEqual({ lastSeenAt: expect.any(String), version: 1 });
});

test('the lists show the accounts and clients of the units of the caller, filtered and page by page; never a secret [A14]', async () => {
  await truth(
    `insert into organisation.client (id, name, unit_no, role, secret_hashes) values
       ('his-a', 'HIS A', $1, 'integrator', '{x}'), ('his-b', 'HIS B', $2, 'hospital', '{y}')`,
    [unit.c1, unit.x21],
  );
  for (const role of ['clerk', 'centre'] as const)
    await mutate(steward, 'createAccount', { ...newcomer('u6', role), name: `Đỗ Văn Xã ${role}` });
  const list = async (who: Caller, filter: object, first = 100, after: string | null = null) =>
    (
      await ask(
        who,
        `query ($filter: AccountFilter, $first: Int, $after: String) { accounts(filter: $filter, first: $first, after: $after) {
           totalCount nodes { id login role orgUnit { id } } pageInfo { hasNextPage endCursor } } }`,
        { filter, first, after },
      )
    ).data?.accounts as {
      totalCount: number;
      nodes: readonly { id: string; login: string; role: string; orgUnit: { id: string } }[];
      pageInfo: { hasNextPage: boolean; endCursor: string };
    };
  const found = await list(steward, { text: 'do van xa' });
  expect(found.nodes.map(({ role }) => role).sort()).toEqual(['centre', 'clerk']);
  expect((await list(steward, { text: 'do van xa', role: 'clerk' })).totalCount).toBe(1);
  expect((await list(steward, { text: 'do van xa', disabled: true })).totalCount).toBe(0);
  expect((await list(steward1, { text: 'do van xa' })).nodes).toEqual([]);
  expect((await list(steward1, { orgUnit: 'u3' })).nodes).toEqual([]);
  const own = await list(steward1, {});
  expect(own.nodes.every(({ orgUnit }) => ['u2', 'u4', 'u5'].includes(orgUnit.id))).toBe(true);
  const walked: string[] = [];
  for (let after: string | null = null, more = true; more;) {
    const page = await list(steward, {}, 3, after);
    walked.push(...page.nodes.map(({ login }) => login));
    after = page.pageInfo.endCursor;
    more = page.pageInfo.hasNextPage;
  }
  expect(walked).toEqual([...walked].sort());
  expect(walked).toHaveLength((await list(steward, {})).totalCount);

  const clients = await ask(
    steward1,
    '{ clients { totalCount nodes { id name role orgUnit { id } pointsPerMinute revokedAt } } }',
  );
  expect(clients.data?.clients).toMatchObject({ totalCount: 1, nodes: [{ id: 'his-a', orgUnit: { id: 'u2' } }] });
  expect(audited).toContain(clientSubject('his-a'));
  const foreign = found.nodes[0]?.id;
  const out = await ask(steward1, 'query ($id: ID!) { account(id: $id) { id } }', { id: foreign });
  expect(out).toMatchObject({ data: { account: null }, errors: [] });
  expect(audited).toEqual([]);
});

test('a client is revoked for good, and its secret replaced; the new one is told once', async () => {
  const [before] = await truth<{ version: number }>(`select version from organisation.client where id = 'his-a'`);
  const key = randomUUID();
  const rotated = await mutate(steward1, 'rotateClientSecret', { id: 'his-a', version: before?.version }, key);
  expect(rotated.error).toBeNull();
  const [row] = await truth<{ hashes: string[]; version: number }>(
    `select secret_hashes as hashes, version from organisation.client where id = 'his-a'`,
  );
  expect(await verifySecret(row?.hashes ?? [], rotated.ok?.secret ?? '')).toBe(true);
  expect(row?.hashes).toHaveLength(2);
  expect((await mutate(steward1, 'rotateClientSecret', { id: 'his-a', version: before?.version }, key)).ok?.secret).toBeNull();
  // What a hospital may, no steward may: with its secret he could.
  expect((await mutate(steward, 'rotateClientSecret', { id: 'his-b', version: 1 })).error).toMatchObject({
    reason: 'ROLE_ABOVE_YOURS',
  });
  expect((await mutate(steward1, 'revokeClient', { id: 'his-b', version: 1 })).error).toMatchObject({ reason: 'RECORD_UNKNOWN' });
  expect((await mutate(steward, 'revokeClient', { id: 'his-b', version: 1 })).ok?.client).toMatchObject({
    version: 2,
    revokedAt: expect.any(String),
  });
  expect(await identity.principals.find('his-b', new Date(Date.now() + 60_000))).toBeNull();
});

test('an account out of scope is none, and a role without the right changes nothing [A14] [A17]', async () => {
  const foreign = String((await mutate(steward, 'createAccount', newcomer('u6', 'clerk'))).ok?.account?.id);
  const before = await everything();
  for (const name of ['updateAccount', 'disableAccount', 'enableAccount', 'resetPassword', 'dropSecondFactor']) {
    const refused = await mutate(steward1, name, { id: foreign, version: 1 });
    expect(refused).toMatchObject({ ok: null, error: { code: 'NOT_FOUND' } });
    expect(await mutate(steward1, name, { id: randomUUID(), version: 1 })).toEqual(refused);
  }
  expect((await mutate(steward1, 'createAccount', newcomer('u6', 'clerk'))).error).toMatchObject({
    reason: 'UNIT_NOT_YOURS',
    field: 'orgUnitId',
  });
  expect((await mutate(steward1, 'createAccount', newcomer('u1', 'clerk'))).error).toMatchObject({ reason: 'UNIT_NOT_YOURS' });
  const centre = await standing('centre', unit.c1, scopes.centre1);
  const clerk = await standing('clerk', unit.p, scopes.province);
  const now = await everything();
  for (const who of [centre, clerk]) {
    expect((await mutate(who, 'createAccount', newcomer('u4', 'clerk'))).error).toMatchObject({ code: 'FORBIDDEN' });
    expect((await mutate(who, 'disableAccount', { id: foreign, version: 1 })).error).toMatchObject({ code: 'FORBIDDEN' });
    expect((await mutate(who, 'revokeClient', { id: 'his-a', version: 1 })).error).toMatchObject({ code: 'FORBIDDEN' });
  }
  expect((await ask(clerk, '{ accounts { nodes { id } } }')).errors).toEqual(['FORBIDDEN ROLE_LACKS_RIGHT']);
  expect(await everything()).toEqual(now);
  expect((now[0] as { changes: number }).changes).toBe((before[0] as { changes: number }).changes);
});

test('nobody gives himself anything, nor takes himself out', async () => {
  const own = { id: steward1.principal.id, version: 1 };
  for (const [name, more] of [
    ['updateAccount', { orgUnitId: 'u4' }],
    ['updateAccount', { role: 'clerk' }],
    ['disableAccount', {}],
    ['enableAccount', {}],
    ['resetPassword', {}],
    ['dropSecondFactor', {}],
  ] as const) {
    expect((await mutate(steward1, name, { ...own, ...more })).error).toMatchObject({ reason: 'ACCOUNT_OWN' });
  }
  expect((await mutate(steward1, 'updateAccount', { ...own, name: 'Tên tôi' })).ok?.account).toMatchObject({ version: 2 });
});

const arbitraryRole = fc.constantFrom(...roles);

test('nobody gives what he has not: a role given never has a right that its giver lacks', () => {
  fc.assert(
    fc.property(arbitraryRole, arbitraryRole, (giver, given) => {
      const own = permissionsOf[giver];
      const gained = permissionsOf[given].filter((permission) => !own.includes(permission));
      return holdsAllOf(own, given) === (gained.length === 0);
    }),
  );
});

test('whoever asks for whatever account: it is made exactly where giver, role and unit allow it, and has no right that he lacks', async () => {
  const giver = fc.constantFrom<{ readonly who: () => Caller; readonly covers: readonly number[] }>(
    { who: () => steward, covers: Object.values(unit) },
    { who: () => steward1, covers: [unit.c1, unit.x11, unit.x12] },
  );
  await fc.assert(
    fc.asyncProperty(giver, arbitraryRole, fc.constantFrom(...Object.values(unit), 99), async ({ who, covers }, role, unitNo) => {
      const { ok } = await mutate(who(), 'createAccount', newcomer(`u${String(unitNo)}`, role));
      const forPeople = ['steward', 'centre', 'clerk', 'auditor'].includes(role);
      const heldByHim = permissionsOf[role].every((permission) => permissionsOf.steward.includes(permission));
      expect(ok !== null).toBe(forPeople && heldByHim && covers.includes(unitNo));
      if (ok === null) return;
      const principal = await identity.principals.find(String(ok.account?.id), new Date(Date.now() + 60_000));
      expect(principal?.permissions.filter((one) => !who().principal.permissions.includes(one))).toEqual([]);
    }),
    { numRuns: 60, seed: 16 },
  );
}, 60_000);

test('an auditor watches the stewards: none of them makes one, or gets hold of his account', async () => {
  const auditor = await standing('auditor', unit.c1, scopes.centre1);
  const before = await everything();
  for (const name of ['updateAccount', 'disableAccount', 'resetPassword', 'dropSecondFactor']) {
    expect((await mutate(steward, name, { id: auditor.principal.id, version: 1 })).error).toMatchObject({
      code: 'FORBIDDEN',
      reason: 'ROLE_ABOVE_YOURS',
    });
  }
  expect((await mutate(steward, 'createAccount', newcomer('u4', 'auditor'))).error).toMatchObject({ reason: 'ROLE_ABOVE_YOURS' });
  expect(await everything()).toEqual(before);
});
