import { createHash } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import type { QueryPlan } from '@apollo/query-planner';
import { LRUCache } from 'lru-cache';
import { refusal } from '#kernel/errors/hub-error.ts';
import type { PlanAnswer, PlanQuestion } from './plan-worker.ts';

/*
 * Plans of large documents are made in a thread of their own: the planner takes up to seconds for a document within all limits,
 * cannot be interrupted, and knows no time-out. One that takes too long loses its thread and the document is refused.
 */

/** From this many selections, fragments opened, a document is planned aside; smaller ones take some milliseconds. */
export const largeDocument = 150;
/** Milliseconds a plan may take, waiting included. */
const patience = 5_000;
/** Documents that wait for a plan; who comes beyond that is told to come later. */
const waitingLimit = 20;
const plansKept = 1_000;

/** The store in which the stock gateway looks for a plan before it makes one. */
export interface PlanStore {
  get(key: string): Promise<QueryPlan | undefined>;
  set(key: string, plan: QueryPlan): Promise<void>;
  delete(key: string): Promise<boolean>;
  clear(): void;
}

export interface Planner {
  readonly store: PlanStore;
  /** Resolves when the plan lies in the store, or when the document has none. */
  prepare(query: string, operationName: string | null): Promise<void>;
  close(): Promise<void>;
}

interface Waiting {
  readonly done: (plan: QueryPlan | null) => void;
  readonly failed: (error: Error) => void;
}

export function openPlanner(supergraph: string): Planner {
  const plans = new LRUCache<string, QueryPlan>({ max: plansKept });
  const waiting = new Map<number, Waiting>();
  const underWay = new Map<string, Promise<void>>();
  let worker: Worker | null = null;
  let count = 0;

  function thread(): Worker {
    if (worker !== null) return worker;
    const started = new Worker(new URL('./plan-worker.ts', import.meta.url), { workerData: supergraph });
    started.unref();
    started.on('message', ({ id, plan }: PlanAnswer) => waiting.get(id)?.done(plan));
    started.on('error', () => discard(started));
    worker = started;
    return started;
  }

  /** Everything that waited for this thread is refused: which of them it could not plan is not known. */
  function discard(thread: Worker): void {
    if (worker === thread) worker = null;
    void thread.terminate();
    for (const { failed } of waiting.values()) failed(refusal('DOCUMENT_LIMIT', { field: 'planning' }));
  }

  async function make(query: string, operationName: string | null): Promise<QueryPlan | null> {
    if (waiting.size >= waitingLimit) throw refusal('DATABASE_BUSY', { retryAfter: 2 });
    const id = (count += 1);
    const asked = thread();
    const timer = setTimeout(() => discard(asked), patience);
    try {
      return await new Promise<QueryPlan | null>((done, failed) => {
        waiting.set(id, { done, failed });
        asked.postMessage({ id, query, operationName } satisfies PlanQuestion);
      });
    } finally {
      clearTimeout(timer);
      waiting.delete(id);
    }
  }

  return {
    store: {
      get: (key) => Promise.resolve(plans.get(key)),
      set(key, plan) {
        plans.set(key, plan);
        return Promise.resolve();
      },
      delete: (key) => Promise.resolve(plans.delete(key)),
      clear: () => plans.clear(),
    },
    async prepare(query, operationName) {
      const key = storeKey(query, operationName);
      if (plans.has(key)) return;
      let made = underWay.get(key);
      if (made === undefined) {
        made = make(query, operationName)
          .then((plan) => {
            if (plan !== null) plans.set(key, plan);
          })
          .finally(() => underWay.delete(key));
        underWay.set(key, made);
      }
      await made;
    },
    async close() {
      await worker?.terminate();
      worker = null;
    },
  };
}

/** The key under which @apollo/gateway looks for a plan. */
function storeKey(query: string, operationName: string | null): string {
  const hash = createHash('sha256').update(query).digest('hex');
  return operationName === null ? hash : createHash('sha256').update(hash).update(operationName).digest('hex');
}
