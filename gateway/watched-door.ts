import { HubError } from '#kernel/errors/hub-error.ts';
import type { SubgraphAnswer, SubgraphDoor } from '#kernel/graph/subgraph-call.ts';

/*
 * A subgraph that is gone refuses the connection, which is known at once. One that hangs takes the connection and says nothing,
 * exactly as one does that works on a long read. So whoever waits longer than a second asks whether the process answers at all;
 * if it does not, everything that waits for it is told so, and for a moment nobody else begins to wait.
 */

/** A call that is older than this has the process looked at. Milliseconds. */
const suspicious = 1_000;
/** An answer to that question takes at most this long. Milliseconds. */
const patience = 700;
/** A process found silent is not asked for this long. Milliseconds. */
const silence = 1_000;

/** `alive` resolves when the process says anything. A call to a silent one is given up within two seconds. */
export function watchedDoor(door: SubgraphDoor, alive: () => Promise<unknown>): SubgraphDoor {
  /** Calls under way in the order they began, with when they did. */
  const waiting = new Map<(error: HubError) => void, number>();
  let timer: NodeJS.Timeout | null = null;
  let silentUntil = 0;

  function watch(): void {
    const [oldest] = waiting.values();
    if (timer !== null || oldest === undefined) return;
    timer = setTimeout(() => void look(), Math.max(1, oldest + suspicious - performance.now()));
    timer.unref();
  }

  async function look(): Promise<void> {
    const [oldest] = waiting.values();
    if (oldest !== undefined && performance.now() - oldest >= suspicious && !(await answers(alive))) {
      silentUntil = performance.now() + silence;
      for (const giveUp of waiting.keys()) giveUp(new HubError('UPSTREAM_BUSY', 'SUBGRAPH_AWAY', { retryAfter: 2 }));
      waiting.clear();
    } else if (oldest !== undefined) {
      // It lives and works on something long: who waits goes on waiting, and is looked at again in a second.
      for (const [giveUp, since] of waiting) if (performance.now() - since >= suspicious) waiting.set(giveUp, performance.now());
    }
    timer = null;
    watch();
  }

  return {
    name: door.name,
    execute(request) {
      if (performance.now() < silentUntil)
        return Promise.reject(new HubError('UPSTREAM_BUSY', 'SUBGRAPH_AWAY', { retryAfter: 2 }));
      return new Promise<SubgraphAnswer>((resolve, reject) => {
        const giveUp = reject as (error: HubError) => void;
        waiting.set(giveUp, performance.now());
        watch();
        door
          .execute(request)
          .then(resolve, reject)
          .finally(() => waiting.delete(giveUp));
      });
    },
  };
}

async function answers(alive: () => Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), patience);
  });
  const answered = alive().then(
    () => true,
    () => false,
  );
  try {
    return await Promise.race([answered, late]);
  } finally {
    clearTimeout(timer);
  }
}
