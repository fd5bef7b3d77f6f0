/** Where time comes from. Tests pass a clock of their own; leases and deadlines use the database's clock instead. */
export interface Clock {
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };
