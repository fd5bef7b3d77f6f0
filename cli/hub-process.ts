import { runMain } from '#kernel/main-process.ts';
import { startHub } from './hub-in-one.ts';

await runMain('hub', startHub);
