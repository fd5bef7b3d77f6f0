import type { Allowance } from '#connectors/population/index.ts';
import type { Transaction } from '#kernel/db/database.ts';

/** Gives out places by whatever transaction its user has at hand. */
export interface AllowanceOf extends Allowance {
  through: (<T>(body: (tx: Transaction) => Promise<T>) => Promise<T>) | null;
}

/**
 * Places for calls to the population database, given out by PostgreSQL and its clock: however many workers and commands ask, together they
 * stay within what was agreed. Places that a process reserved and did not use are lost.
 */
export function sharedAllowance(callsPerSecond: number): AllowanceOf {
  return {
    through: null,
    async reserve(count) {
      if (this.through === null) throw new Error('nobody to reserve calls through');
      const [place] = await this.through((tx) =>
        tx.query<{ readonly startsIn: number }>(
          `insert into citizens.outside_calls as o (system, free_at) values ('population', clock_timestamp() + make_interval(secs => $1))
           on conflict (system) do update set free_at = greatest(o.free_at, clock_timestamp()) + make_interval(secs => $1)
           returning greatest(extract(epoch from o.free_at - clock_timestamp()) - $1, 0)::double precision * 1000 as "startsIn"`,
          [count / callsPerSecond],
        ),
      );
      return { startsIn: place?.startsIn ?? 0, spacing: 1_000 / callsPerSecond };
    },
  };
}
