import { runMain } from '#kernel/main-process.ts';
import { startWorker } from './run.ts';

await runMain('worker', startWorker);
