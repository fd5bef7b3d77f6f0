/* npm run bench -- NAME [--json]: runs one benchmark of test/bench on the Node of package.json. Plain JavaScript for Node 20. */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { install, nodeBinary } from '../../cli/install.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const [name, ...options] = process.argv.slice(2);
const known = readdirSync(here).filter((folder) => existsSync(join(here, folder, 'main.ts')));
if (name === undefined || !known.includes(name)) {
  process.stderr.write(`npm run bench -- NAME [--json] · NAME: ${known.join(', ')}\n`);
  process.exit(2);
}
try {
  await install();
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
const child = spawn(nodeBinary, [join(here, name, 'main.ts'), ...options], { stdio: 'inherit' });
process.on('SIGINT', () => undefined); // the terminal sends it to the child too
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code) => {
  process.exitCode = code ?? 1;
});
