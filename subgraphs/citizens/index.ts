import { exportJob } from '#kernel/exports/export-job.ts';
import { importJobs } from '#kernel/imports/import-job.ts';
import { cursorBindings } from '#kernel/page.ts';
import type { SubgraphModule } from '#kernel/subgraph.ts';
import { CitizenChanges } from './changes.ts';
import { citizensEntities } from './citizen.entity.ts';
import { Citizens } from './citizens.ts';
import { citizensExport, discrepanciesExport } from './export-citizens.ts';
import { citizensImport } from './import-citizens.ts';
import { citizensJobs } from './jobs.ts';
import { citizenResolvers } from './resolvers.ts';
import { RunStarts } from './run-starts.ts';

export { reconcileRun, releasePopulation } from './jobs.ts';

export const citizens: SubgraphModule = {
  name: 'citizens',
  schema: new URL('./schema.graphql', import.meta.url),
  entities: citizensEntities,
  imports: [citizensImport],
  exports: [citizensExport, discrepanciesExport],
  jobs: [...citizensJobs, ...importJobs(citizensImport), exportJob(citizensExport), exportJob(discrepanciesExport)],
  open: ({ door, clock, changes, identifierKey }) => ({
    resolvers: citizenResolvers(
      new Citizens({ door, clock, cursors: cursorBindings(identifierKey) }),
      changes === undefined ? null : new CitizenChanges(changes, identifierKey),
      changes === undefined ? null : new RunStarts(changes),
    ),
    context: (call) => ({ call }),
    close: () => Promise.resolve(),
  }),
};
