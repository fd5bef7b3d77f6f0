import { readFileSync } from 'node:fs';

/** What a subgraph may use of the federation specification. Nothing of `@authenticated`: the gateway would refuse the graph. */
const federation = `extend schema @link(
  url: "https://specs.apollo.dev/federation/v2.5"
  import: ["@key", "@shareable", "@external", "@requires", "@provides", "@inaccessible", "@override"]
)
`;

const shared = new URL('./shared.graphql', import.meta.url);

/** Complete SDL of a subgraph: the federation link unless it brings one, its own `schema.graphql`, and the types that every subgraph shares. */
export function subgraphSdl(ownSchema: string): string {
  const link = ownSchema.includes('specs.apollo.dev/federation') ? '' : federation;
  return `${link}\n${ownSchema}\n\n${readFileSync(shared, 'utf8')}`;
}

export function readSubgraphSdl(schema: URL): string {
  return subgraphSdl(readFileSync(schema, 'utf8'));
}
