const swc = [
  '@swc/jest',
  { jsc: { target: 'es2024', parser: { syntax: 'typescript' } }, module: { type: 'es6' }, sourceMaps: 'inline' },
];

const project = (name, testMatch, more = {}) => ({
  displayName: name,
  rootDir: import.meta.dirname,
  testEnvironment: 'node',
  testMatch: testMatch.map((glob) => `<rootDir>/${glob}`),
  testPathIgnorePatterns: ['/node_modules/', '/\\.baselines/', '/\\.data/', '/\\.cache/'],
  modulePathIgnorePatterns: ['<rootDir>/test/bench/.baselines', '<rootDir>/.data', '<rootDir>/test/.cache'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': swc },
  moduleNameMapper: { '^#(kernel|connectors)/(.*)$': '<rootDir>/$1/$2' },
  ...more,
});

const source = '{kernel,subgraphs,gateway,workers,connectors,cli,deploy,admin}';

/** unit: pure, milliseconds · int: real PostgreSQL · e2e: real processes · long: the full figures, by hand and at night. */
export default {
  projects: [
    project('unit', [`${source}/**/!(*.int|*.long).test.ts`, 'test/**/!(*.int|*.long).test.ts']),
    project('int', [`${source}/**/*.int.test.ts`, 'test/**/*.int.test.ts']),
    project('e2e', ['test/e2e/**/*.e2e.ts']),
    project('long', [`${source}/**/*.long.test.ts`, 'test/**/*.long.test.ts', 'test/**/*.long.ts']),
  ],
  testTimeout: 60_000,
};
