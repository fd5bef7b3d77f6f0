import type { SubgraphModule } from '#kernel/subgraph.ts';
import { Insurance } from './insurance.ts';
import { resolvers, type InsuranceContext } from './resolvers.ts';

/** Health insurance cards (BHYT). */
export const insurance: SubgraphModule = {
  name: 'insurance',
  schema: new URL('./schema.graphql', import.meta.url),
  open(deps) {
    return {
      resolvers,
      context: (call): InsuranceContext => ({ call, insurance: new Insurance(deps, call) }),
      close: () => Promise.resolve(),
    };
  },
};
