import { openReadAudit } from '#kernel/audit/read-audit.ts';
import { systemClock } from '#kernel/clock.ts';
import { filesUrlOf, ownSettingsInForce, publicUrlOf, readRoleUrls } from '#kernel/config.ts';
import { changesOf } from '#kernel/db/change.ts';
import { openReadDoor } from '#kernel/db/read-door-pg.ts';
import { openFileStore } from '#kernel/files/file-store.ts';
import { openRuntime } from '#kernel/graph/subgraph-runtime.ts';
import type { ProcessParts, Running } from '#kernel/main-process.ts';
import { serveGraph } from '../gateway/serve.ts';
import { allSubgraphs } from '../subgraphs/all.ts';
import { keepFeeding } from '../subgraphs/keep-feeding.ts';
import { openIdentity, waysIn } from '../subgraphs/organisation/index.ts';

/**
 * Gateway and all subgraphs in one process: a call between them is a call. They share one door, one audit and few connections,
 * under the role that may read what the graph reads and write the audit.
 */
export async function startHub(parts: ProcessParts): Promise<Running> {
  const { settings, metrics, log } = parts;
  const { identifierKey } = settings;
  if (identifierKey === null) throw new Error('The hub needs HUB_IDENTIFIER_KEY.');
  const roleUrl = readRoleUrls(settings);
  const { registry } = metrics;
  const door = openReadDoor({ connection: roleUrl('reader'), registry });
  const auditor = openReadDoor({
    connection: roleUrl('auditor'),
    registry,
    name: 'auditor',
    keyedConnections: 1,
    wideConnections: 2,
  });
  const audit = openReadAudit({ connection: roleUrl('reader'), registry });
  const deps = {
    door,
    auditor,
    clock: systemClock,
    identifierKey,
    filesOrigin: filesUrlOf(settings),
    settings: ownSettingsInForce,
  };
  const opened = await Promise.all(
    allSubgraphs.map(async (module) => ({
      module,
      changes: await changesOf(module, roleUrl(module.name)),
    })),
  );
  const runtimes = opened.map(({ module, changes }) =>
    openRuntime(module, { ...deps, ...(changes !== null && { changes }) }, audit, { log }),
  );
  const identity = openIdentity({
    url: roleUrl('organisation'),
    identifierKey,
    issuer: () => publicUrlOf(settings, settings.port),
    clock: systemClock,
    ways: waysIn(settings),
    store: openFileStore(settings.filesDir),
    registry,
    report: (fault) => log.error(fault, { subgraph: 'organisation' }),
  });
  const { files } = identity;
  if (files === null) throw new Error('the hub was opened without a place of files');
  const feed = keepFeeding(identity, log);
  const up = () => Promise.resolve();
  return serveGraph(parts, {
    doors: runtimes,
    principals: identity.principals,
    sessions: identity.sessions,
    drafts: identity.drafts,
    security: identity.security,
    issuer: identity.trusted(),
    oauth: identity.edgeRoutes((request) => request.ip),
    parts: {
      postgres: () => door.ping(),
      audit: () => audit.ping(),
      ...Object.fromEntries(runtimes.map(({ name }) => [name, up])),
      organisation: () => identity.ping(),
    },
    background: { queue: () => identity.reachQueue() },
    files,
    metrics: registry,
    async close() {
      await feed.stop();
      await Promise.all(runtimes.map((runtime) => runtime.close()));
      await Promise.all(opened.map(({ changes }) => changes?.close() ?? up()));
      await Promise.all([identity.close(), audit.close(), door.close(), auditor.close()]);
    },
  });
}
