import { expect, jest, test } from '@jest/globals';
import { securityLog, type SecurityEvent } from './security-log.ts';

const event = (n: number): SecurityEvent => ({ kind: 'request.refused', principal: 'reader', traceId: String(n), detail: {} });

test('events of half a second are written together, in order', async () => {
  jest.useFakeTimers();
  const written: (readonly SecurityEvent[])[] = [];
  const log = securityLog((events) => {
    written.push(events);
    return Promise.resolve();
  });
  log.note(event(1));
  log.note(event(2));
  await jest.advanceTimersByTimeAsync(499);
  expect(written).toEqual([]);
  await jest.advanceTimersByTimeAsync(1);
  expect(written).toEqual([[event(1), event(2)]]);
  log.note(event(3));
  await log.close();
  expect(written.flat()).toEqual([event(1), event(2), event(3)]);
  jest.useRealTimers();
});

test('a flood is counted, not kept', async () => {
  const written: SecurityEvent[] = [];
  const log = securityLog((events) => {
    written.push(...events);
    return Promise.resolve();
  });
  for (let n = 0; n < 10_000; n++) log.note(event(n));
  await log.close();
  expect(written).toHaveLength(501);
  expect(written.at(-1)).toEqual({ kind: 'events.dropped', principal: null, traceId: null, detail: { count: 9_500 } });
});

test('what could not be written is written with the next, and what no longer fits is counted', async () => {
  jest.useFakeTimers();
  const written: SecurityEvent[] = [];
  let away = true;
  const log = securityLog((events) => {
    if (away) return Promise.reject(new Error('away'));
    written.push(...events);
    return Promise.resolve();
  });
  for (let n = 0; n < 600; n++) log.note(event(n));
  await jest.advanceTimersByTimeAsync(600);
  for (let n = 600; n < 650; n++) log.note(event(n));
  await jest.advanceTimersByTimeAsync(600);
  away = false;
  await jest.advanceTimersByTimeAsync(600);
  await log.close();
  expect(written.filter(({ kind }) => kind === 'request.refused')).toHaveLength(500);
  expect(written.at(-1)?.detail).toEqual({ count: 150 });
  jest.useRealTimers();
});
