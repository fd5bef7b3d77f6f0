import { recordPlansHold } from '../test/kit/record-plans.ts';

// Large enough for lists of more than 10,000; record-plans.long.test.ts has the promised size and its times.
recordPlansHold({ rows: 24_000, milliseconds: null });
