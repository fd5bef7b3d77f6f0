import { runMain } from '#kernel/main-process.ts';
import { serveSubgraph, subgraphNamed } from './serve.ts';

const name = subgraphNamed(process.argv[2] ?? '');
if (name === null) throw new Error('Say which subgraph: node subgraphs/main.ts citizens');
await runMain(name, (parts) => serveSubgraph(name, parts));
