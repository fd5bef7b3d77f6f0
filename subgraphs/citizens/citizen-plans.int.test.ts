import { plansHold } from '../../test/kit/citizen-plans.ts';

// Large enough for searches that find more than 10,000; citizen-plans.long.test.ts has the promised size and its times.
plansHold({ rows: 30_000, milliseconds: null });
