import type { Ways } from '#kernel/records/forward.ts';
import type { ResultState } from './result.entity.ts';

/**
 * What an operator may say of a paper: it stops to count, and a paper that stopped may still be called back by its agency. WITHDRAWN is
 * said by the withdrawal alone.
 */
export const resultWays: Ways<ResultState> = {
  IN_FORCE: ['REPLACED', 'REVOKED', 'EXPIRED'],
  REPLACED: ['REVOKED'],
  EXPIRED: ['REVOKED'],
  REVOKED: [],
  WITHDRAWN: [],
};
