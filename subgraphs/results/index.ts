import { exportJob } from '#kernel/exports/export-job.ts';
import { AskedOfEntity } from '#kernel/graph/asked.ts';
import { importJobs } from '#kernel/imports/import-job.ts';
import { cursorBindings } from '#kernel/page.ts';
import type { SubgraphModule } from '#kernel/subgraph.ts';
import { unitTreeSource } from '#kernel/unit-scope.ts';
import { ResultChanges } from './changes.ts';
import { resultsExport } from './export-results.ts';
import { resultsImport } from './import-results.ts';
import { resolvers, type ResultsContext } from './resolvers.ts';
import { resultsEntities } from './result.entity.ts';
import { Results } from './results.ts';

/** Digitized results of administrative procedures. */
export const results: SubgraphModule = {
  name: 'results',
  schema: new URL('./schema.graphql', import.meta.url),
  entities: resultsEntities,
  imports: [resultsImport],
  exports: [resultsExport],
  jobs: [...importJobs(resultsImport), exportJob(resultsExport)],
  open(deps) {
    const source = { door: deps.door, units: unitTreeSource(deps.door, deps.clock), cursors: cursorBindings(deps.identifierKey) };
    const changes = deps.changes === undefined ? null : new ResultChanges(deps.changes, deps.identifierKey);
    return {
      resolvers,
      context: (call): ResultsContext => ({
        call,
        results: new Results(source, call),
        ofCitizen: new AskedOfEntity('Citizen'),
        changes,
      }),
      close: () => Promise.resolve(),
    };
  },
};
