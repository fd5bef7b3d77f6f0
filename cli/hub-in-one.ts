import Fastify from 'fastify';
import { readRoleUrls } from '#kernel/config.ts';
import { createHealth, registerOperations } from '#kernel/http.ts';
import type { ProcessParts, Running } from '#kernel/main-process.ts';

/** Gateway and all subgraphs in one process: the calls between them are calls. */
export async function startHub({ settings, metrics }: ProcessParts): Promise<Running> {
  readRoleUrls(settings);
  const app = Fastify();
  registerOperations(app, { health: createHealth({ parts: {}, outside: {} }), registry: metrics.registry });
  await app.listen({ host: settings.host, port: settings.port });
  const at = app.server.address();
  const port = typeof at === 'object' && at !== null ? at.port : settings.port;
  return {
    address: `http://${settings.host}:${port}`,
    stop: () => app.close(),
  };
}
