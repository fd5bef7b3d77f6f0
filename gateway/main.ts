import { runMain } from '#kernel/main-process.ts';
import { startGateway } from './apart.ts';

await runMain('gateway', startGateway);
