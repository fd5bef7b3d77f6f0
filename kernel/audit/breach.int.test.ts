import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { openSealedAudit, queryOf, type SealedAudit } from '../../test/kit/sealed-audit.ts';
import { Random } from '../synthetic/random.ts';
import { breachReport, type Seen } from './breach.ts';

let audit: SealedAudit;
beforeAll(async () => {
  audit = await openSealedAudit();
});
afterAll(() => audit.close());

const tuesday = (time: string) => new Date(`2026-11-24T${time}+07:00`);
const shapes = [
  { action: 'citizen.read', fields: ['Citizen.fullName', 'Citizen.phone'] },
  { action: 'citizen.read', fields: ['Citizen.personalId'] },
  { action: 'card.read', fields: ['InsuranceCard.number'] },
] as const;

async function event(
  principal: string,
  at: Date,
  subjects: readonly string[],
  action: string,
  fields: readonly string[],
): Promise<void> {
  await audit.owner.query(
    `insert into hub.audit_event (at, principal, principal_kind, principal_name, role, unit_no, purpose, action, subgraph, subjects, fields, subject_count, operation, trace_id)
     values ($1, $2, 'CLIENT', 'x', 'integrator', 1, 'HOPERAT', $3, 'citizens', $4::uuid[], $5::text[], $6, 'Q', 't')`,
    [at, principal, action, subjects, fields, subjects.length],
  );
}

async function reportOf(principal: string, from: Date, to: Date): Promise<ReadonlyMap<string, Seen>> {
  const report = await breachReport({ principal, from, to }, { query: queryOf(audit.owner) });
  const seen = new Map<string, Seen>();
  for await (const page of report.pages()) for (const one of page) seen.set(one.subject, one);
  return seen;
}

test('a credential stolen on Tuesday from 09:00 to 11:00: exactly those whose data it saw then, with the fields [A47]', async () => {
  const random = new Random(7, 'breach', 0);
  const people = Array.from({ length: 1_500 }, () => randomUUID());
  const expected = new Map<string, { times: number; fields: Set<string> }>();
  for (let n = 0; n < 200; n += 1) {
    const stolen = random.chance(0.6);
    const minute = random.between(-120, 239);
    const at = new Date(tuesday('09:00:00').getTime() + minute * 60_000);
    const shape = shapes[random.below(shapes.length)] ?? shapes[0];
    const subjects = [...new Set(Array.from({ length: random.between(0, 40) }, () => people[random.below(people.length)] ?? ''))];
    await event(stolen ? 'stolen' : 'other', at, subjects, shape.action, shape.fields);
    if (!stolen || minute < 0 || minute >= 120) continue;
    for (const subject of subjects) {
      const known = expected.get(subject) ?? { times: 0, fields: new Set<string>() };
      known.times += 1;
      for (const field of shape.fields) known.fields.add(field);
      expected.set(subject, known);
    }
  }
  await event('stolen', tuesday('10:00:00'), [people[0] ?? ''], 'basis.refused', []);
  await event('stolen', tuesday('10:00:00'), ['00000000-0000-8000-8000-000000000007'], 'unit.changed', []);
  const seen = await reportOf('stolen', tuesday('09:00:00'), tuesday('11:00:00'));
  expect([...seen.keys()].sort()).toEqual([...expected.keys()].sort());
  for (const [subject, { times, fields }] of expected) {
    expect(seen.get(subject)).toMatchObject({ times, fields: [...fields].sort() });
  }
  expect((await reportOf('stolen', tuesday('11:00:00'), tuesday('11:00:01'))).size).toBeLessThanOrEqual(40);
  expect((await reportOf('nobody', tuesday('09:00:00'), tuesday('11:00:00'))).size).toBe(0);
}, 30_000);
