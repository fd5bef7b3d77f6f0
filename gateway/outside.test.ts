import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { outsideState } from './outside.ts';

async function until(state: () => string, wanted: string): Promise<string> {
  for (let tries = 0; tries < 100 && state() !== wanted; tries += 1) await sleep(10);
  return state();
}

test('a system without address is absent', () => {
  expect(outsideState(null)()).toBe('absent');
});

test('a system that listens is up, one that does not is down', async () => {
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as AddressInfo;
  const address = `http://127.0.0.1:${String(port)}/`;
  expect(await until(outsideState(address), 'up')).toBe('up');
  await new Promise((resolve) => listener.close(resolve));
  const state = outsideState(address);
  await sleep(50);
  expect(state()).toBe('down');
});
