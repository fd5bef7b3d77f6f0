import type { Ways } from '#kernel/records/forward.ts';
import type { SlipStatus } from './slip.entity.ts';

/**
 * The life of a slip as an operator may tell it: shown by the patient, accepted by the facility, used by its visit; steps may be left out,
 * since not every facility tells each. A slip that was accepted does not expire any more: the episode that it opened goes on to its end
 * (Circular 01/2025/TT-BYT). REPLACED is said by the newer signed slip, WITHDRAWN by the withdrawal.
 */
export const slipWays: Ways<SlipStatus> = {
  ISSUED: ['SHOWN', 'ACCEPTED', 'USED', 'EXPIRED', 'CANCELLED'],
  SHOWN: ['ACCEPTED', 'USED', 'EXPIRED', 'CANCELLED'],
  ACCEPTED: ['USED', 'CANCELLED'],
  USED: [],
  EXPIRED: [],
  CANCELLED: [],
  REPLACED: [],
  WITHDRAWN: [],
};
