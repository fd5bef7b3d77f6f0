import type { SubgraphModule } from '#kernel/subgraph.ts';
import { resolvers, type SlipsContext } from './resolvers.ts';
import { Slips } from './slips.ts';

/** Referral and re-examination slips. */
export const slips: SubgraphModule = {
  name: 'slips',
  schema: new URL('./schema.graphql', import.meta.url),
  open(deps) {
    return {
      resolvers,
      context: (call): SlipsContext => ({ call, slips: new Slips(deps, call) }),
      close: () => Promise.resolve(),
    };
  },
};
