import type { SubgraphModule } from '#kernel/subgraph.ts';
import { Citizens } from './citizens.ts';
import { citizenResolvers } from './resolvers.ts';

export { importCitizens, type ImportReport } from './import-citizens.ts';

export const citizens: SubgraphModule = {
  name: 'citizens',
  schema: new URL('./schema.graphql', import.meta.url),
  open: ({ door, clock }) => ({
    resolvers: citizenResolvers(new Citizens({ door, clock })),
    context: (call) => ({ call }),
    close: () => Promise.resolve(),
  }),
};
