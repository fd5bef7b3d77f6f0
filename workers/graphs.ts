/* The graphs of the subgraphs for work that reads lists: each under the role of its subgraph, opened when it is first needed. */
import type { SubgraphName } from '#kernel/audit/audit.ts';
import { openReadAudit } from '#kernel/audit/read-audit.ts';
import { systemClock } from '#kernel/clock.ts';
import { openReadDoor } from '#kernel/db/read-door-pg.ts';
import type { RoleUrls } from '#kernel/db/roles.ts';
import type { SubgraphDoor } from '#kernel/graph/subgraph-call.ts';
import { openRuntime } from '#kernel/graph/subgraph-runtime.ts';
import type { Log } from '#kernel/log.ts';
import { createMetrics } from '#kernel/metrics.ts';
import type { SubgraphModule } from '#kernel/subgraph.ts';

export interface Graphs {
  of(subgraph: SubgraphName): Promise<SubgraphDoor>;
  close(): Promise<void>;
}

export function graphsOf(
  roleUrl: (role: keyof RoleUrls) => string,
  modules: readonly SubgraphModule[],
  { identifierKey, log }: { readonly identifierKey: Buffer; readonly log: Log },
): Graphs {
  const opened = new Map<SubgraphName, SubgraphDoor & { close(): Promise<void> }>();

  function open(name: SubgraphName): SubgraphDoor & { close(): Promise<void> } {
    const module = modules.find((one) => one.name === name);
    if (module === undefined) throw new Error(`no subgraph ${name}`);
    const { registry } = createMetrics(`hub work ${name}`);
    const few = { registry, keyedConnections: 1, wideConnections: 2 };
    const door = openReadDoor({ ...few, connection: roleUrl(name), name: `work ${name}` });
    const auditor =
      name === 'organisation' ? openReadDoor({ ...few, connection: roleUrl('auditor'), name: 'work auditor' }) : null;
    const audit = openReadAudit({ connection: roleUrl(name), registry });
    const deps = { door, clock: systemClock, identifierKey, ...(auditor !== null && { auditor }) };
    const runtime = openRuntime(module, deps, audit, { log });
    return {
      name,
      execute: (request) => runtime.execute(request),
      async close() {
        await runtime.close();
        await Promise.all([audit.close(), door.close(), auditor?.close()]);
      },
    };
  }

  return {
    of(name) {
      const known = opened.get(name) ?? open(name);
      opened.set(name, known);
      return Promise.resolve(known);
    },
    async close() {
      await Promise.all([...opened.values()].map((graph) => graph.close()));
    },
  };
}
