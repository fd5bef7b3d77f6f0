import { plansHold } from '../../test/kit/citizen-plans.ts';

plansHold({ rows: 200_000, milliseconds: 20 });
