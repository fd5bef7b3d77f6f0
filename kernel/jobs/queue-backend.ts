import {
  createPostgresBackend,
  Queue,
  UnrecoverableError,
  Worker,
  type Job,
  type PostgresPoolConfig,
  type WorkerOptions,
} from 'bullmq';
import { Redis } from 'ioredis';
import type { QueueName } from './queues.ts';

/*
 * The queue: which of the things that stand in the database a worker looks at next. It holds ids and is believed in nothing; it may lose
 * everything at any moment, and the reconciler fills it again. On PostgreSQL where nothing else is set, on Redis with REDIS_URL.
 */

/** Where the queue lives. */
export type QueuePlace =
  | { readonly kind: 'postgres'; readonly url: string }
  /** `prefix` sets the keys of one hub apart from all else in that Redis. */
  | { readonly kind: 'redis'; readonly url: string; readonly prefix: string };

export interface QueueItem {
  readonly name: string;
  /** Ids only. */
  readonly data: Readonly<Record<string, string | number>>;
  /** The same id again while the first is there adds nothing. */
  readonly id: string;
}

export interface QueueCounts {
  readonly waiting: number;
  readonly active: number;
}

export interface OneQueue {
  /** Rejects within some seconds when the queue is away. */
  add(items: readonly QueueItem[]): Promise<void>;
  /** Those of the ids that nobody will work on any more. */
  missing(ids: readonly string[]): Promise<ReadonlySet<string>>;
  counts(): Promise<QueueCounts>;
  close(): Promise<void>;
}

export interface QueueWorker {
  /** Takes nothing new and waits for what is under way. */
  close(): Promise<void>;
}

/** Milliseconds after which a call to the queue counts as failed: nothing may hang on it. */
const patience = 3_000;
/** A job whose worker has not been heard of for so long is given to another by the queue. Milliseconds. */
export const lockTime = 8_000;

export function openQueue(place: QueuePlace, name: QueueName, failed: (error: unknown) => void): OneQueue {
  const options = { defaultJobOptions: { removeOnComplete: true, removeOnFail: { count: 1_000 } } };
  const redis = place.kind === 'redis' ? redisFor(place.url, false, failed) : null;
  const queue =
    place.kind === 'redis' && redis !== null
      ? new Queue(name, { ...options, connection: redis, prefix: place.prefix })
      : new Queue(name, { ...options, connection: postgres(place.url, name) }, createPostgresBackend);
  queue.on('error', failed);
  return {
    async add(items) {
      if (items.length === 0) return;
      await within(queue.addBulk(items.map(({ name: job, data, id }) => ({ name: job, data, opts: { jobId: id } }))));
    },
    async missing(ids) {
      const gone = new Set<string>();
      for (let from = 0; from < ids.length; from += 200) {
        const some = ids.slice(from, from + 200);
        const states = await within(Promise.all(some.map((id) => queue.getJobState(id))));
        states.forEach((state, place) => {
          const id = some[place];
          if (id !== undefined && ['unknown', 'completed', 'failed'].includes(state)) gone.add(id);
        });
      }
      return gone;
    },
    async counts() {
      const counts = await within(queue.getJobCounts('waiting', 'prioritized', 'delayed', 'active'));
      return {
        waiting: (counts.waiting ?? 0) + (counts.prioritized ?? 0) + (counts.delayed ?? 0),
        active: counts.active ?? 0,
      };
    },
    async close() {
      await closed(queue.close());
      redis?.disconnect();
    },
  };
}

/** Works on what the queue holds. Whatever `body` throws ends the job in the queue: whether it was done is decided in the database. */
export function openQueueWorker(
  place: QueuePlace,
  name: QueueName,
  atOnce: number,
  body: (item: QueueItem) => Promise<void>,
  failed: (error: unknown) => void,
  lock = lockTime,
): QueueWorker {
  const options = {
    concurrency: atOnce,
    lockDuration: lock,
    stalledInterval: lock / 2,
    // A job that stalls is given out again: its lease in the database decides who works.
    maxStalledCount: 100,
    removeOnComplete: { count: 0 },
    removeOnFail: { count: 1_000 },
  } satisfies Omit<WorkerOptions, 'connection'>;
  const processor = async (job: Job<QueueItem['data']>): Promise<void> => {
    try {
      await body({ name: job.name, data: job.data, id: job.id ?? '' });
    } catch (error) {
      throw new UnrecoverableError(error instanceof Error ? error.name : 'failed');
    }
  };
  const redis = place.kind === 'redis' ? redisFor(place.url, true, failed) : null;
  const worker =
    place.kind === 'redis' && redis !== null
      ? new Worker(name, processor, { ...options, connection: redis, prefix: place.prefix })
      : new Worker(name, processor, { ...options, connection: postgres(place.url, name) }, createPostgresBackend);
  worker.on('error', failed);
  return {
    async close() {
      await closed(worker.close());
      redis?.disconnect();
    },
  };
}

/** Refuses a Redis that would forget jobs when it is full: it must refuse new ones instead. Reachable or not is another question. */
export async function refuseForgetfulRedis(url: string): Promise<void> {
  const redis = new Redis(url, {
    maxRetriesPerRequest: 1,
    connectTimeout: patience,
    retryStrategy: () => null,
    lazyConnect: true,
  });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    const info = await within(redis.info('memory'));
    const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1];
    if (policy !== undefined && policy !== 'noeviction') {
      throw new ForgetfulRedis(
        `Redis runs with maxmemory-policy ${policy} and would forget work when it is full. Set it to "noeviction" (deploy/redis.conf).`,
      );
    }
  } catch (error) {
    // Away for now: the hub works, its queue fills when it is back.
    if (error instanceof ForgetfulRedis) throw error;
  } finally {
    redis.disconnect();
  }
}

export class ForgetfulRedis extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ForgetfulRedis';
  }
}

/** Its own connection per queue and worker; it comes back by itself, at the latest after two seconds. */
function redisFor(url: string, waiting: boolean, failed: (error: unknown) => void): Redis {
  const redis = new Redis(url, {
    // A worker waits for its Redis; a call of the relay fails at once and is made again later.
    maxRetriesPerRequest: null,
    enableOfflineQueue: waiting,
    connectTimeout: patience,
    retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 6), 2_000),
  });
  redis.on('error', failed);
  return redis;
}

/** A pool of its own: each worker also keeps a connection that listens. */
function postgres(url: string, name: string): PostgresPoolConfig {
  return {
    connectionString: url,
    schema: 'bullmq',
    max: 2,
    application_name: `hub queue ${name}`,
    connectionTimeoutMillis: patience,
  };
}

async function within<T>(work: Promise<T>, milliseconds = patience): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  try {
    return await Promise.race([
      work,
      new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error('the queue does not answer')), milliseconds);
      }),
    ]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined);
  }
}

/** What is under way is cut short by whoever asked for the end; a queue that is away must not hold it up. */
async function closed(work: Promise<unknown>): Promise<void> {
  await within(work, 4_000).catch(() => undefined);
}
