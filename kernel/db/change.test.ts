import { expect, test } from '@jest/globals';
import { HubError } from '../errors/hub-error.ts';
import { refusalIn } from './change.ts';

function told(error: unknown): unknown {
  try {
    return refusalIn(error);
  } catch (thrown) {
    return thrown;
  }
}

const coded = (message: string, code: string): Error => Object.assign(new Error(message), { code });

test('a lost connection that pg gives no code for means that the database is away, not a mistake of ours', () => {
  for (const error of [
    new Error('Connection terminated unexpectedly'),
    new Error('Connection terminated'),
    new Error('timeout exceeded when trying to connect'),
    new Error('Connection terminated due to connection timeout', { cause: new Error('Connection terminated unexpectedly') }),
    new Error('the driver failed', { cause: new Error('Connection terminated unexpectedly') }),
    new Error('the driver failed', { cause: coded('connect', 'ECONNREFUSED') }),
    coded('read', 'ECONNRESET'),
    coded('shutting down', '57P01'),
  ]) {
    const refusal = told(error);
    expect(refusal).toBeInstanceOf(HubError);
    expect(refusal).toMatchObject({ code: 'DEGRADED', reason: 'DATABASE_AWAY' });
  }
});

test('a full disk is told as what it is: nothing was changed, somebody has to make room [F22]', () => {
  expect(told(coded('could not extend file', '53100'))).toMatchObject({
    code: 'DEGRADED',
    reason: 'DATABASE_FULL',
    retryAfter: 30,
  });
});

test('a mistake of ours stays one', () => {
  const circle = new Error('round and round');
  circle.cause = circle;
  for (const error of [new TypeError('x is not a function'), circle, coded('unique', '23505'), 'text', null]) {
    expect(told(error)).toBe(error);
  }
});
