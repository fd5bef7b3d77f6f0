import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { subgraphSdl } from '#kernel/graph/sdl.ts';

const subgraphs = new URL('../subgraphs/', import.meta.url);
const supergraph = new URL('./supergraph.graphql', import.meta.url);

export interface SubgraphSource {
  readonly name: string;
  readonly schema: string;
}

/** The folders that bring a `schema.graphql`: one folder, one subgraph. */
export function subgraphSources(folder: URL = subgraphs): readonly SubgraphSource[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(new URL(`${entry.name}/schema.graphql`, folder)))
    .map(({ name }) => ({ name, schema: readFileSync(new URL(`${name}/schema.graphql`, folder), 'utf8') }))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** Joins the schemas into one graph, or throws with every reason why they do not join. */
export function compose(sources: readonly SubgraphSource[]): string {
  const { supergraphSdl, errors } = composeServices(
    sources.map(({ name, schema }) => ({ name, url: `http://${name}.subgraph/`, typeDefs: parse(subgraphSdl(schema)) })),
  );
  if (errors !== undefined)
    throw new Error(`The subgraphs do not compose:\n${errors.map((error) => `- ${error.message}`).join('\n')}`);
  return `# Made by "node gateway/compose.ts" from subgraphs/*/schema.graphql; never edited by hand.\n${supergraphSdl}\n`;
}

/** The graph as it is committed, which is what the gateway serves. */
export function readSupergraph(): string {
  return readFileSync(supergraph, 'utf8');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(supergraph, compose(subgraphSources()));
