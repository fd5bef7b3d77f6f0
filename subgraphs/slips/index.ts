import { exportJob } from '#kernel/exports/export-job.ts';
import { AskedOfEntity } from '#kernel/graph/asked.ts';
import { cursorBindings } from '#kernel/page.ts';
import type { SubgraphModule } from '#kernel/subgraph.ts';
import { unitTreeSource } from '#kernel/unit-scope.ts';
import { SlipChanges } from './changes.ts';
import { reexaminationsExport, referralsExport } from './export-slips.ts';
import { resolvers, type SlipsContext } from './resolvers.ts';
import { slipsEntities } from './slip.entity.ts';
import { Slips } from './slips.ts';

/** Referral and re-examination slips. */
export const slips: SubgraphModule = {
  name: 'slips',
  schema: new URL('./schema.graphql', import.meta.url),
  exports: [referralsExport, reexaminationsExport],
  jobs: [exportJob(referralsExport), exportJob(reexaminationsExport)],
  entities: slipsEntities,
  open(deps) {
    const source = { door: deps.door, units: unitTreeSource(deps.door, deps.clock), cursors: cursorBindings(deps.identifierKey) };
    const changes = deps.changes === undefined ? null : new SlipChanges(deps.changes);
    return {
      resolvers,
      context: (call): SlipsContext => ({
        call,
        slips: new Slips(source, call),
        ofCitizen: new AskedOfEntity('Citizen'),
        changes,
      }),
      close: () => Promise.resolve(),
    };
  },
};
