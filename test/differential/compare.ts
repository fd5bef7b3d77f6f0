import { isDeepStrictEqual } from 'node:util';
import type { Caller } from '#kernel/auth/principal.ts';
import { permissions } from '#kernel/auth/permissions.ts';
import type { Gateway, OperationAnswer } from '../../gateway/gateway.ts';
import { traits, type GeneratedOperation, type Trait } from './operations.ts';

export const anyCaller: Caller = {
  principal: {
    id: 'demo-integrator',
    name: 'Demo',
    kind: 'CLIENT',
    role: 'integrator',
    unitNo: 1,
    scope: '{[1,100)}',
    scopeUnits: 6,
    permissions: [...permissions],
    purpose: 'HOPERAT',
    pointsPerMinute: 60_000,
  },
  purpose: 'HOPERAT',
  basis: null,
  locale: 'en',
  traceId: '00000000000000000000000000000001',
  operation: 'Generated',
  idempotencyKey: null,
};

export interface Comparison {
  ran: number;
  compiled: number;
  withData: number;
  withErrors: number;
  /** Per trait: how many ran, how many of them compiled. */
  readonly traits: Record<Trait, { ran: number; compiled: number }>;
  readonly differences: {
    readonly query: string;
    readonly variables: unknown;
    readonly stock: unknown;
    readonly compiled: unknown;
  }[];
}

export function newComparison(): Comparison {
  const perTrait = Object.fromEntries(traits.map((trait) => [trait, { ran: 0, compiled: 0 }])) as Comparison['traits'];
  return { ran: 0, compiled: 0, withData: 0, withErrors: 0, traits: perTrait, differences: [] };
}

/**
 * Runs one operation on the stock executor and then compiled, and notes whether both answered the same. With `truth` the stock
 * executor has subgraphs of its own, run by graphql-js: it may report more than one error below a null that has risen, so errors
 * are compared by the nulls that they stand for.
 */
export async function compare(
  gateway: Gateway,
  operation: GeneratedOperation,
  comparison: Comparison,
  { caller = anyCaller, truth = gateway }: { caller?: Caller; truth?: Gateway } = {},
): Promise<void> {
  const { query, variables } = operation;
  const asked = { query, variables, operationName: null };
  const signal = new AbortController().signal;
  const stock = await truth.answerStock(asked, caller, signal);
  if (truth !== gateway) await gateway.answerStock(asked, caller, signal); // a document is compiled when it is first seen
  const compiled = await gateway.answer(asked, caller, signal);
  comparison.ran += 1;
  if (compiled.path !== 'stock') comparison.compiled += 1;
  for (const trait of operation.traits) {
    comparison.traits[trait].ran += 1;
    if (compiled.path !== 'stock') comparison.traits[trait].compiled += 1;
  }
  const read = truth === gateway ? readable : byNulls;
  const [one, other] = [read(stock), read(compiled)];
  if (one.data !== null && one.data !== undefined) comparison.withData += 1;
  if (one.errors.length > 0) comparison.withErrors += 1;
  if (!isDeepStrictEqual(one, other)) comparison.differences.push({ query, variables, stock: one, compiled: other });
}

interface Readable {
  readonly status: number;
  readonly data: unknown;
  readonly errors: readonly string[];
}

/** Errors have no order among themselves: subgraphs answer in any. */
function readable(answer: OperationAnswer): Readable {
  const { data, errors = [] } = JSON.parse(answer.body) as {
    data?: unknown;
    errors?: { message: string; path?: unknown; extensions: object }[];
  };
  return {
    status: answer.status,
    data,
    errors: errors
      .map(({ message, path, extensions }) => JSON.stringify([path, message, Object.entries(extensions).sort()]))
      .sort(),
  };
}

/** Each error as the null it stands for: the path as far as the answer holds something. */
function byNulls(answer: OperationAnswer): Readable {
  const { data, errors = [] } = JSON.parse(answer.body) as { data?: unknown; errors?: { path?: (string | number)[] }[] };
  const nulls = errors.map(({ path = [] }) => {
    let value = data;
    const reached = [];
    for (const key of path) {
      if (value === null || value === undefined) break;
      reached.push(key);
      value = (value as Record<string | number, unknown>)[key];
    }
    return JSON.stringify(reached);
  });
  return { status: answer.status, data, errors: [...new Set(nulls)].sort() };
}
