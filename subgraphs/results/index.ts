import type { SubgraphModule } from '#kernel/subgraph.ts';
import { resolvers, type ResultsContext } from './resolvers.ts';
import { Results } from './results.ts';

/** Digitized results of administrative procedures. */
export const results: SubgraphModule = {
  name: 'results',
  schema: new URL('./schema.graphql', import.meta.url),
  open(deps) {
    return {
      resolvers,
      context: (call): ResultsContext => ({ call, results: new Results(deps, call) }),
      close: () => Promise.resolve(),
    };
  },
};
