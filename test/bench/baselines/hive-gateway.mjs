/* Hive Gateway by its own command, which does not tell when it listens: supergraph and port on the command line. */
import { spawn } from 'node:child_process';
import { ready } from './data.mjs';

const [supergraph, port] = process.argv.slice(2);
const child = spawn(
  process.execPath,
  [
    'node_modules/@graphql-hive/gateway/dist/bin.js',
    'supergraph',
    supergraph,
    '-c',
    'hive.config.mjs',
    '-h',
    '127.0.0.1',
    '-p',
    port,
    '--disable-websockets',
  ],
  { stdio: ['ignore', 'inherit', 'inherit'] },
);
child.on('exit', (code) => process.exit(code ?? 1));
process.on('SIGTERM', () => child.kill('SIGTERM'));
for (;;) {
  const answer = await fetch(`http://127.0.0.1:${port}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"query":"{__typename}"}',
  }).catch(() => null);
  if (answer?.ok) break;
  await new Promise((resolve) => setTimeout(resolve, 50));
}
ready(port);
