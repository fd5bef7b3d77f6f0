/** Who may import whom: docs/architecture.md. An exception is an ADR, never a comment. */
const inside = (folder) => `^${folder}/`;
const test = '\\.(test|e2e|bench|long)\\.ts$';

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'domain-imports-nothing',
      severity: 'error',
      from: { path: inside('kernel/domain'), pathNot: test },
      to: { pathNot: inside('kernel/domain') },
    },
    {
      name: 'kernel-imports-kernel',
      severity: 'error',
      from: { path: inside('kernel'), pathNot: test },
      to: { path: '^(subgraphs|gateway|workers|connectors|cli|admin|test)/' },
    },
    {
      name: 'connectors-import-kernel',
      severity: 'error',
      from: { path: inside('connectors') },
      to: { path: '^(subgraphs|gateway|workers|cli|admin|test)/', pathNot: '^test/kit/' },
    },
    {
      name: 'no-subgraph-imports-another',
      severity: 'error',
      from: { path: '^subgraphs/([^/]+)/' },
      to: { path: '^subgraphs/[^/]+/', pathNot: '^subgraphs/$1/' },
    },
    {
      name: 'subgraphs-import-kernel-and-connectors',
      severity: 'error',
      from: { path: '^subgraphs/', pathNot: test },
      to: { path: '^(gateway|workers|cli|admin|test)/' },
    },
    {
      name: 'a-subgraph-has-one-door',
      severity: 'error',
      from: { path: '^(gateway|workers|cli|connectors)/' },
      to: { path: '^subgraphs/[^/]+/', pathNot: '^subgraphs/[^/]+/index\\.ts$' },
    },
    {
      name: 'gateway-imports-kernel',
      severity: 'error',
      from: { path: inside('gateway'), pathNot: test },
      to: { path: '^(subgraphs|workers|connectors|cli|admin|test)/' },
    },
    { name: 'nothing-imports-cli', severity: 'error', from: { pathNot: '^(cli|test)/' }, to: { path: '^cli/' } },
    { name: 'nothing-imports-test', severity: 'error', from: { pathNot: `^test/|${test}` }, to: { path: '^test/' } },
    {
      name: 'synthetic-never-serves',
      severity: 'error',
      from: { pathNot: `^(cli|test|kernel/synthetic)/|/seed\\.ts$|/simulat[^/]*\\.ts$|${test}` },
      to: { path: '^kernel/synthetic/' },
    },
    {
      name: 'simulators-never-serve',
      severity: 'error',
      from: { pathNot: `^(cli|test)/|^connectors/[^/]+/(simulat[^/]*|main)\\.ts$|${test}` },
      to: { path: '^connectors/[^/]+/simulat' },
    },
    {
      name: 'graphql-has-homes',
      severity: 'error',
      from: {
        pathNot: `^(gateway|test|kernel/graph)/|resolvers\\.ts$|kernel/errors/to-graphql\\.ts$|kernel/subgraph\\.ts$|${test}`,
      },
      to: { path: 'node_modules/(graphql|@apollo/|graphql-jit)' },
    },
    {
      name: 'bullmq-has-homes',
      severity: 'error',
      from: { pathNot: `^(workers|kernel/jobs|test)/|${test}` },
      to: { path: 'node_modules/bullmq' },
    },
    {
      name: 'no-dev-packages-in-the-server',
      severity: 'error',
      from: { path: '^(subgraphs|gateway|workers|connectors|kernel|cli)/', pathNot: test },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, pathNot: `(^|/)(main|migrate)\\.ts$|\\.(cjs|mjs)$|\\.config\\.|${test}` },
      to: {},
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(generated|\\.baselines|\\.cache)/|^test/bench/baselines/|^gateway/explorer/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
      extensions: ['.ts', '.js', '.mjs', '.json'],
    },
  },
};
