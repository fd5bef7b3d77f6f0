import { cursorBindings } from '#kernel/page.ts';
import type { SubgraphModule } from '#kernel/subgraph.ts';
import { CitizenChanges } from './changes.ts';
import { citizensEntities } from './citizen.entity.ts';
import { Citizens } from './citizens.ts';
import { citizenResolvers } from './resolvers.ts';

export { sharedAllowance } from './call-allowance.ts';
export { reconcileCitizens, type ReconcileReport } from './reconcile-run.ts';
export { importCitizens, type ImportReport } from './import-citizens.ts';

export const citizens: SubgraphModule = {
  name: 'citizens',
  schema: new URL('./schema.graphql', import.meta.url),
  entities: citizensEntities,
  open: ({ door, clock, changes, identifierKey }) => ({
    resolvers: citizenResolvers(
      new Citizens({ door, clock, cursors: cursorBindings(identifierKey) }),
      changes === undefined ? null : new CitizenChanges(changes, identifierKey),
    ),
    context: (call) => ({ call }),
    close: () => Promise.resolve(),
  }),
};
