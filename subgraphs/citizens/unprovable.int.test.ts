import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { auditKey, makeAuditKey } from '#kernel/audit/heads.ts';
import { openSealer } from '#kernel/audit/sealer.ts';
import type { Caller } from '#kernel/auth/principal.ts';
import { openCitizenWorld, type CitizenWorld } from '../../test/kit/citizen-world.ts';
import { withClient } from '../../test/kit/database.ts';
import { id, scopes, unit } from '../../test/kit/record-world.ts';

/* Without a provable audit nothing is changed, and without an audit row nothing is shown. */

let world: CitizenWorld;
let clerk: Caller;
const an = id(0x101);

beforeAll(async () => {
  world = await openCitizenWorld({ writes: true });
  clerk = await world.account('clerk', unit.x11, scopes.x11);
  await world.add({ id: an, unitNo: unit.x11, fullName: 'Nguyễn Văn An' });
}, 60_000);
afterAll(() => world.close());

async function owner(text: string): Promise<void> {
  await withClient(world.database.ownerUrl, (client) => client.query(text));
}

async function change(version: number): Promise<{ readonly reason: string | null; readonly version: unknown }> {
  const answer = await world.ask(
    { ...clerk, idempotencyKey: randomUUID() },
    `mutation M($input: UpdateCitizenInput!) { updateCitizen(input: $input) { ok { citizen { version } } error { reason } } }`,
    { input: { id: an, version, birthplace: `Nơi sinh ${String(version)}` } },
  );
  const [refused] = answer.errors;
  const data = answer.data as {
    updateCitizen: { ok: { citizen: { version: number } } | null; error: { reason: string } | null } | null;
  };
  return {
    reason: reasonOf(refused) ?? data.updateCitizen?.error?.reason ?? null,
    version: data.updateCitizen?.ok?.citizen.version ?? null,
  };
}

/** The world tells an error as code and reason. */
function reasonOf(error: string | undefined): string | null {
  return error?.split(' ')[1] ?? null;
}

async function read(): Promise<unknown> {
  const { data } = await world.ask(clerk, '{ citizen(id: $id) { fullName } }'.replace('$id', `"${an}"`));
  return (data as { citizen: { fullName: string } | null }).citizen?.fullName;
}

test('the sealer stands still for four hours: changes are refused with the reason, reads go on, one round of it mends all [F31]', async () => {
  await owner(`update hub.audit_sealer set passed_at = clock_timestamp() - interval '3 hours 59 minutes'`);
  expect(await change(1)).toEqual({ reason: null, version: 2 });
  await owner(`update hub.audit_sealer set passed_at = clock_timestamp() - interval '4 hours 1 second'`);
  expect(await change(2)).toEqual({ reason: 'AUDIT_UNSEALED', version: null });
  expect(await read()).toBe('Nguyễn Văn An');
  const sealer = await openSealer({ url: world.database.roles.sealer, key: auditKey(makeAuditKey()), headsDir: '/nonexistent' });
  try {
    expect(await sealer.round()).toBeGreaterThan(0);
  } finally {
    await sealer.close();
  }
  expect(await change(2)).toEqual({ reason: null, version: 3 });
});

test('a hub that was off for a night may change at once: its sealer has a minute', async () => {
  await owner(`update hub.audit_sealer set passed_at = clock_timestamp() - interval '9 hours'`);
  await owner('select hub.excuse_sealer()');
  expect(await change(3)).toEqual({ reason: null, version: 4 });
  await owner(`update hub.audit_sealer set excused_until = clock_timestamp() - interval '1 second'`);
  expect(await change(4)).toEqual({ reason: 'AUDIT_UNSEALED', version: null });
  await owner(`update hub.audit_sealer set passed_at = clock_timestamp()`);
});

test('the right to write the audit is gone: nothing is changed and the reason is told [F12]', async () => {
  const role = new URL(world.database.roles.citizens).username;
  await owner(`revoke insert on hub.audit_event from ${role}`);
  expect(await change(4)).toEqual({ reason: 'AUDIT_UNAVAILABLE', version: null });
  await owner(`grant insert on hub.audit_event to ${role}`);
  expect(await change(4)).toEqual({ reason: null, version: 5 });
});

test('the month has no place in the audit: nothing is changed [F12]', async () => {
  const month = new Date().toISOString().slice(0, 7).replace('-', '_');
  await owner(`alter table hub.audit_event detach partition hub.audit_event_${month}`);
  expect(await change(5)).toEqual({ reason: 'AUDIT_UNAVAILABLE', version: null });
  const from = `${month.replace('_', '-')}-01 00:00+00`;
  await owner(`alter table hub.audit_event attach partition hub.audit_event_${month}
    for values from ('${from}') to ('${from}'::timestamptz + interval '1 month')`);
  expect(await change(5)).toEqual({ reason: null, version: 6 });
});
