import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connect } from 'node:net';
import { openImaginedHub, type ImaginedHub } from '../test/kit/imagined-hub.ts';

let hub: ImaginedHub;
let port: number;

beforeAll(async () => {
  hub = await openImaginedHub();
  port = Number(new URL(await hub.app.listen({ host: '127.0.0.1', port: 0 })).port);
});
afterAll(async () => {
  await hub.close();
});

/** Sends a beginning, then a byte every two seconds; gives how long the other side bore it. Milliseconds. */
async function drip(beginning: string, byte: string): Promise<number> {
  const started = performance.now();
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.resume();
  socket.write(beginning);
  const timer = setInterval(() => socket.write(byte), 2_000);
  await new Promise((resolve) => socket.once('close', resolve));
  clearInterval(timer);
  return performance.now() - started;
}

async function askedIn(): Promise<number> {
  const started = performance.now();
  const response = await fetch(`http://127.0.0.1:${String(port)}/graphql`, {
    method: 'POST',
    headers: { authorization: 'Bearer good.good.good', 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ me { id } }' }),
  });
  await response.arrayBuffer();
  return performance.now() - started;
}

test('200 sockets that send a byte now and then are closed in time, and nobody else notices [A32]', async () => {
  const headers = Array.from({ length: 100 }, () =>
    drip(`POST /graphql HTTP/1.1\r\nhost: 127.0.0.1:${String(port)}\r\nx-a: `, 'a'),
  );
  const bodies = Array.from({ length: 100 }, () =>
    drip(
      `POST /graphql HTTP/1.1\r\nhost: 127.0.0.1:${String(port)}\r\ncontent-type: application/json\r\ncontent-length: 9999\r\n\r\n{`,
      ' ',
    ),
  );
  await askedIn();
  const others = [];
  for (let turn = 0; turn < 20; turn += 1) {
    others.push(await askedIn());
    await new Promise((resolve) => setTimeout(resolve, 400));
  }
  others.sort((a, b) => a - b);
  expect(others[18]!).toBeLessThan(500);
  for (const borne of await Promise.all(headers)) expect(borne).toBeLessThan(13_000);
  for (const borne of await Promise.all(bodies)) expect(borne).toBeLessThan(33_000);
}, 60_000);
