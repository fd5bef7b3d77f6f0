/* npm run hub -- VERB: installs what is missing, then runs the command on the Node of package.json. Plain JavaScript for Node 20. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { install, nodeBinary, nodeEnvironment, root } from './install.mjs';

try {
  await install();
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
// npm goes to the folder of package.json; files named on the command line lie where the caller stands.
const cwd = process.env.INIT_CWD ?? process.cwd();
const child = spawn(nodeBinary, [join(root, 'cli', 'hub.ts'), ...process.argv.slice(2)], {
  cwd,
  env: { ...process.env, ...nodeEnvironment() },
  stdio: 'inherit',
});
// Ctrl-C reaches the child by the terminal; a second one from here would look like impatience.
process.on('SIGINT', () => undefined);
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('error', (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
child.on('exit', (code) => {
  process.exitCode = code ?? 1;
});
