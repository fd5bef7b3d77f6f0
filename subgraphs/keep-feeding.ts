import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '#kernel/log.ts';
import type { Identity } from './organisation/index.ts';

/** Milliseconds between two looks at an outbox that had nothing, and the longest pause after failures. */
const idle = 500;
const longestPause = 5_000;
/** As many events as one batch takes: more may wait. */
const fullBatch = 1_000;

/** Keeps the joint queue of work up to date. Stopped, it ends its batch; a batch that fails is tried again. */
export function keepFeeding(identity: Identity, log: Log): { stop(): Promise<void> } {
  const ending = new AbortController();
  const { signal } = ending;
  const loop = async () => {
    for (let failed = 0; !signal.aborted;) {
      let taken = 0;
      try {
        taken = await identity.feedWork();
        failed = 0;
      } catch (error) {
        failed += 1;
        log.warn('work-feed.failed', { attempt: failed }, error);
      }
      if (taken < fullBatch)
        await pause(Math.min(idle * 2 ** failed, longestPause), undefined, { signal }).catch(() => undefined);
    }
  };
  const ended = loop();
  return {
    stop() {
      ending.abort();
      return ended;
    },
  };
}
