/*
 * npm test            everything CI runs; last line `N passed, N failed`
 * npm run test:fast   what one runs before a commit: format, types, lint, unit
 * npm run test:long   the full figures (faults, probes, scale); `npm run test:long -- NAME` runs one of them
 *
 * Plain JavaScript for Node 20 without packages: it installs what is missing, then runs everything on the Node of package.json.
 * A step that is not a test suite (format, lint …) counts as one check.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { install, nodeBinary, root } from '../cli/install.mjs';
import { installTools } from './tools.mjs';

const mode = process.argv[2] ?? 'all';
const rest = process.argv.slice(3);
const started = Date.now();
const scratch = mkdtempSync(join(tmpdir(), 'lien-thong-test-'));
let passed = 0;
let failed = 0;

await install();
process.env.PATH = `${join(root, 'node_modules', '.bin')}:${process.env.PATH ?? ''}`;

const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

function run(command, args, env = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, ...env } });
    child.on('error', () => resolve(127));
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

async function report(title, work) {
  const began = Date.now();
  process.stdout.write(`\n── ${title}\n`);
  const code = await work();
  if (code === 0) passed += 1;
  else failed += 1;
  process.stdout.write(
    `── ${title}: ${code === 0 ? 'ok' : `failed (${code})`} in ${((Date.now() - began) / 1000).toFixed(1)} s\n`,
  );
}

/** A script of package.json that is no test suite, on the Node of package.json. */
const check = (script) => report(script, () => run('sh', ['-c', scripts[script]]));

async function suite(project, args = [], env = {}) {
  const began = Date.now();
  const report = join(scratch, `${project}.json`);
  process.stdout.write(`\n── ${project}\n`);
  const code = await run(
    nodeBinary,
    ['--experimental-vm-modules', '--no-warnings', join(root, 'node_modules/jest/bin/jest.js'), '--selectProjects', project]
      .concat(['--json', `--outputFile=${report}`, '--passWithNoTests=false'])
      .concat(args),
    env,
  );
  if (!existsSync(report)) {
    failed += 1;
    process.stdout.write(`── ${project}: no report (exit ${code})\n`);
    return;
  }
  const result = JSON.parse(readFileSync(report, 'utf8'));
  passed += result.numPassedTests;
  // A suite that could not be loaded has no tests of its own: it counts as one failure. A skipped test is a failure too.
  failed += result.numFailedTests + result.numRuntimeErrorTestSuites + result.numPendingTests;
  if (code !== 0 && result.numFailedTests + result.numRuntimeErrorTestSuites === 0) failed += 1;
  process.stdout.write(
    `── ${project}: ${result.numPassedTests} passed, ${result.numFailedTests} failed, ${result.numRuntimeErrorTestSuites} suites broken, ` +
      `${result.numPendingTests} skipped in ${((Date.now() - began) / 1000).toFixed(1)} s\n`,
  );
}

async function statics() {
  for (const script of ['format', 'codegen', 'types', 'lint']) await check(script);
}

switch (mode) {
  case 'fast':
    await Promise.all([statics(), suite('unit', ['--maxWorkers=1'])]);
    break;
  case 'long': {
    // The same suites with their full figures, then those that are long by nature; `-- NAME` runs the files whose path holds it.
    const full = {
      HUB_DIFFERENTIAL: '5000',
      HUB_PROBES: '20000',
      HUB_REPLAYS: '5000',
      HUB_FAULT_SECONDS: '60',
      HUB_MIX_SECONDS: '600',
      HUB_TAMPERINGS: '1000',
      HUB_KILLS: '20',
      HUB_ORACLE_ROWS: '100000',
    };
    const named = (path) => rest.length === 0 || rest.some((name) => path.includes(name));
    if (named('test/differential')) await suite('unit', ['--testPathPatterns', 'test/differential'], full);
    const scaled = [
      'test/differential',
      'test/scope',
      'subgraphs/past-states',
      'kernel/audit/read-audit',
      'kernel/audit/sealer',
      'kernel/db/read-door-pg',
      'subgraphs/insurance/import-cards',
      'test/oracle',
    ];
    const chosen = scaled.filter(named);
    if (chosen.length > 0) await suite('int', ['--runInBand', '--testPathPatterns', chosen.join('|')], full);
    if (rest.length === 0 || chosen.length === 0)
      await suite('long', ['--runInBand'].concat(rest.length === 0 ? [] : ['--testPathPatterns', ...rest]), full);
    break;
  }
  default:
    installTools('chromium', 'redis');
    await statics();
    await check('imports');
    await check('unused');
    await suite('unit', ['--maxWorkers=2']);
    await suite('int', ['--maxWorkers=2']);
    await suite('e2e', ['--runInBand']);
    await report('query bench, short', () => run(nodeBinary, ['test/bench/run.mjs', 'query', '--short', '--json']));
}

rmSync(scratch, { recursive: true, force: true });
process.stdout.write(`\n${mode}: ${((Date.now() - started) / 1000).toFixed(0)} s\n${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
