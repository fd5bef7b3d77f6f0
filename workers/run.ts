import { createServer } from 'node:http';
import { auditKey } from '#kernel/audit/heads.ts';
import { runSealer } from '#kernel/audit/sealer.ts';
import { readRoleUrls } from '#kernel/config.ts';
import type { ProcessParts, Running } from '#kernel/main-process.ts';
import { allSubgraphs } from '../subgraphs/all.ts';
import { runReplicaFeed } from './replicas.ts';
import { runRetention } from './retention.ts';
import { queuePlace, startRuntime } from './runtime.ts';
import { measureUpkeep } from './upkeep-metrics.ts';

/**
 * The worker: carries what was committed to where it is awaited. It serves nobody; its numbers are read on an internal port of its
 * own, which answers `GET /metrics` and `GET /health/ready` and nothing else. While its queue is away it is not ready; nobody else waits for it.
 */
export async function startWorker(parts: ProcessParts): Promise<Running> {
  const { settings, metrics, log } = parts;
  const { identifierKey, auditKey: sealing } = settings;
  if (identifierKey === null) throw new Error('The worker needs HUB_IDENTIFIER_KEY.');
  if (sealing === null) throw new Error('The worker needs HUB_AUDIT_KEY.');
  const roleUrl = readRoleUrls(settings);
  const runtime = await startRuntime({
    ...parts,
    roleUrl,
    identifierKey,
    modules: allSubgraphs,
    jobs: allSubgraphs.flatMap(({ jobs = [] }) => jobs),
    place: queuePlace(settings.redisUrl, settings.rolePrefix, roleUrl('worker')),
  });
  const ending = new AbortController();
  const feed = runReplicaFeed({
    urls: { insurance: roleUrl('insurance'), results: roleUrl('results'), slips: roleUrl('slips') },
    signal: ending.signal,
    metrics,
    log,
  });
  const retention = runRetention({ url: roleUrl('worker'), keep: settings.keep, signal: ending.signal, metrics, log });
  const sealer = runSealer({
    url: roleUrl('sealer'),
    key: auditKey(sealing),
    headsDir: settings.auditHeadsDir,
    keptMonths: settings.keep.auditMonths,
    signal: ending.signal,
    metrics,
    log,
  });
  measureUpkeep(settings, metrics);
  const { registry } = metrics;
  const page = createServer((request, response) => {
    request.resume();
    if (request.method === 'GET' && request.url === '/health/ready') {
      const queue = runtime.reachable() ? 'up' : 'down';
      response
        .writeHead(queue === 'up' ? 200 : 503, { 'content-type': 'application/json', 'cache-control': 'no-store' })
        .end(JSON.stringify({ status: queue, parts: { queue } }));
      return;
    }
    if (request.method !== 'GET' || request.url !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    registry.metrics().then(
      (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
      () => response.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    page.once('error', reject);
    page.listen({ host: settings.innerHost, port: settings.innerPort }, resolve);
  });
  const at = page.address();
  return {
    address: typeof at === 'object' && at !== null ? `http://${settings.innerHost}:${at.port}` : null,
    async stop() {
      ending.abort();
      page.close();
      page.closeAllConnections();
      await Promise.all([feed, retention, sealer, runtime.stop()]);
    },
  };
}
