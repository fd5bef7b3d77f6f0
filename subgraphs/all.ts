import type { SubgraphModule } from '#kernel/subgraph.ts';
import { citizens } from './citizens/index.ts';
import { insurance } from './insurance/index.ts';
import { organisation } from './organisation/index.ts';
import { results } from './results/index.ts';
import { slips } from './slips/index.ts';

/** Every subgraph; a new one is one folder and one line here. */
export const allSubgraphs: readonly SubgraphModule[] = [citizens, insurance, results, slips, organisation];
