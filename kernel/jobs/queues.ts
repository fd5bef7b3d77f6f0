/*
 * A queue is named after the limit it protects. Its number is how many jobs one worker process works on at once; a limit that is
 * agreed with an outside system is kept by its connector, over all workers.
 */
export const queues = {
  /** The hub's own work on its own database. */
  internal: { atOnce: 2 },
  /** Files read and written. */
  files: { atOnce: 2 },
  /** Asks the population database. */
  population: { atOnce: 4 },
} as const satisfies Readonly<Record<string, { readonly atOnce: number }>>;

export type QueueName = keyof typeof queues;
export const queueNames = Object.keys(queues) as readonly QueueName[];
