/*
 * npm start: installs what is missing, then runs the supervisor on the Node of package.json. Plain JavaScript for Node 20.
 *
 * Whoever stops this process stops everything: signals are passed on, and when it is killed outright the supervisor notices by
 * the closed channel. npm itself passes SIGTERM to the shell it started, and not every shell passes it on: so under npm
 * the end of the parent counts as a signal too.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { install, nodeBinary, nodeEnvironment, root } from './install.mjs';

let child = null;
let asked = false;

function stop() {
  asked = true;
  child?.kill('SIGTERM');
}
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, stop);
if (process.env.npm_lifecycle_event !== undefined) {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) stop();
  }, 250).unref();
}

try {
  await install();
} catch (error) {
  if (!asked) process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
if (asked) process.exit(0);
child = spawn(nodeBinary, [join(root, 'cli', 'start.ts')], {
  cwd: root,
  env: { ...process.env, ...nodeEnvironment() },
  // Out of reach of Ctrl-C, which the terminal sends to every process in front: it arrives here and is passed on once.
  detached: true,
  stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
});
child.on('error', (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
child.on('exit', (code) => process.exit(code ?? 1));
