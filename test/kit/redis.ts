import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';

/** A real Redis at one address that keeps nothing on disk: started, stopped and killed as often as a test likes. */
export interface TestRedis {
  readonly url: string;
  /** Resolves when it answers; more arguments of its command line. */
  start(...more: readonly string[]): Promise<void>;
  /** Ends it; it comes back empty. */
  stop(): Promise<void>;
  signal(name: NodeJS.Signals): void;
  ask<T>(body: (redis: Redis) => Promise<T>): Promise<T>;
  /** Ends it for good. */
  close(): Promise<void>;
}

export async function openRedis(): Promise<TestRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'hub-redis-'));
  const port = await freePort();
  const url = `redis://127.0.0.1:${String(port)}`;
  let server: ChildProcess | null = null;

  async function ask<T>(body: (redis: Redis) => Promise<T>): Promise<T> {
    const redis = new Redis(url, { retryStrategy: (times) => (times > 100 ? null : 50), maxRetriesPerRequest: null });
    redis.on('error', () => undefined);
    try {
      return await body(redis);
    } finally {
      redis.disconnect();
    }
  }

  async function stop(): Promise<void> {
    const child = server;
    server = null;
    if (child === null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  return {
    url,
    ask,
    stop,
    async start(...more) {
      const nothingKept = ['--save', '', '--appendonly', 'no', '--dir', folder, '--maxmemory-policy', 'noeviction'];
      const child = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', ...nothingKept, ...more], {
        stdio: 'ignore',
      });
      server = child;
      await new Promise<void>((resolve, reject) => {
        child.once('error', () => reject(new Error('redis-server is missing: apt-get install redis-server')));
        void ask((redis) => redis.ping()).then(() => resolve(), reject);
      });
    },
    signal: (name) => void server?.kill(name),
    async close() {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const at = probe.address();
      probe.close(() => resolve(typeof at === 'object' && at !== null ? at.port : 0));
    });
  });
}
