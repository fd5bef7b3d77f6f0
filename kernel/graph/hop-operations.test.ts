import { expect, test } from '@jest/globals';
import { HopSigner, hopSigningKey, makeHopKey } from '../auth/hop.ts';
import { permissionsOf } from '../auth/permissions.ts';
import type { Caller } from '../auth/principal.ts';
import { answerEnvelope, doorOverHop } from './hop-operations.ts';
import type { SubgraphAnswer } from './subgraph-call.ts';

const caller: Caller = {
  principal: {
    id: 'clerk',
    name: 'Clerk',
    kind: 'ACCOUNT',
    role: 'clerk',
    unitNo: 1,
    scope: '{[1,2)}',
    scopeUnits: 1,
    permissions: permissionsOf.clerk,
    purpose: 'TREAT',
    pointsPerMinute: 6_000,
  },
  purpose: 'TREAT',
  basis: null,
  locale: 'vi',
  traceId: '0af7651916cd43dd8448eb211c80319c',
  operation: 'test',
  idempotencyKey: null,
};

async function overTheHop(answer: Omit<SubgraphAnswer, 'audit'>): Promise<object> {
  const { secret } = makeHopKey();
  const signer = new HopSigner(() => hopSigningKey(secret), { now: () => new Date() });
  const subgraph = { name: 'citizens', execute: () => Promise.resolve({ ...answer, audit: () => Promise.resolve() }) } as const;
  const door = doorOverHop('citizens', signer, async ({ body }) => {
    const said = await answerEnvelope(subgraph, String(body), AbortSignal.timeout(5_000));
    return { status: 200, headers: {}, body: Buffer.from(said ?? '') };
  });
  const { audit, ...told } = await door.execute({ query: '{ a }', variables: {}, caller, signal: AbortSignal.timeout(5_000) });
  await audit();
  return told;
}

test('an answer comes over the hop as it was given, with its errors and with what a mutation was refused with', async () => {
  const error = { message: 'x', path: ['a'], extensions: { code: 'FORBIDDEN', reason: 'ROLE_LACKS_RIGHT' } };
  for (const answer of [
    { data: { a: 1 } },
    { data: { a: null }, errors: [error] },
    { data: { a: { ok: null } }, declined: { code: 'NOT_FOUND', reason: 'RECORD_UNKNOWN' } },
  ] as const) {
    expect(await overTheHop(answer)).toEqual(answer);
  }
});
