import type { SubgraphModule } from '#kernel/subgraph.ts';
import { unitTreeSource } from '#kernel/unit-scope.ts';
import { Insurance } from './insurance.ts';
import { resolvers, type InsuranceContext } from './resolvers.ts';

/** Health insurance cards (BHYT). */
export const insurance: SubgraphModule = {
  name: 'insurance',
  schema: new URL('./schema.graphql', import.meta.url),
  open(deps) {
    const source = { door: deps.door, units: unitTreeSource(deps.door, deps.clock), clock: deps.clock };
    return {
      resolvers,
      context: (call): InsuranceContext => ({ call, insurance: new Insurance(source, call) }),
      close: () => Promise.resolve(),
    };
  },
};
