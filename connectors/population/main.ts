import { runMain } from '#kernel/main-process.ts';
import { startSimulatorProcess } from './simulator-process.ts';

await runMain('population', startSimulatorProcess);
