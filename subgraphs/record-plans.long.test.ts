import { recordPlansHold } from '../test/kit/record-plans.ts';

recordPlansHold({ rows: 200_000, milliseconds: 20 });
