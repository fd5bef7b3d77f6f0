import { exportJob } from '#kernel/exports/export-job.ts';
import { importJobs } from '#kernel/imports/import-job.ts';
import { cursorBindings } from '#kernel/page.ts';
import type { SubgraphModule } from '#kernel/subgraph.ts';
import { unitTreeSource } from '#kernel/unit-scope.ts';
import { insuranceEntities } from './card.entity.ts';
import { CardChanges } from './changes.ts';
import { cardsExport } from './export-cards.ts';
import { cardsImport } from './import-cards.ts';
import { Insurance } from './insurance.ts';
import { resolvers, type InsuranceContext } from './resolvers.ts';

/** Health insurance cards (BHYT). */
export const insurance: SubgraphModule = {
  name: 'insurance',
  schema: new URL('./schema.graphql', import.meta.url),
  entities: insuranceEntities,
  imports: [cardsImport],
  exports: [cardsExport],
  jobs: [...importJobs(cardsImport), exportJob(cardsExport)],
  open(deps) {
    const source = {
      door: deps.door,
      units: unitTreeSource(deps.door, deps.clock),
      cursors: cursorBindings(deps.identifierKey),
      clock: deps.clock,
    };
    const changes = deps.changes === undefined ? null : new CardChanges(deps.changes);
    return {
      resolvers,
      context: (call): InsuranceContext => ({ call, insurance: new Insurance(source, call), changes }),
      close: () => Promise.resolve(),
    };
  },
};
