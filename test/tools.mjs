/*
 * What the tests need of the machine beside Node: installed from Debian where it is missing and one is root, else said exactly.
 * Plain JavaScript for Node 20 without packages.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A program that tests start, by the names it may have, and the Debian packages that bring it. */
const tools = {
  chromium: { names: ['chromium', 'chromium-browser', 'google-chrome'], packages: ['chromium', 'fonts-noto-core'] },
  redis: { names: ['redis-server'], packages: ['redis-server'] },
};

function onPath(name) {
  const folders = (process.env.PATH ?? '').split(delimiter).concat('/usr/bin', '/usr/local/bin', '/usr/sbin');
  return folders.some((folder) => folder !== '' && existsSync(join(folder, name)));
}

/** Packages of the named tools that are missing. */
function missing(names) {
  return names.filter((name) => !tools[name].names.some(onPath)).flatMap((name) => tools[name].packages);
}

/** Makes sure that the tools are there. Throws with what to install where it may not install them itself. */
export function installTools(...names) {
  const packages = missing(names);
  if (packages.length === 0) return;
  const command = `apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  if (process.getuid?.() !== 0 || !onPath('apt-get')) throw new Error(`The tests need: ${command}`);
  process.stdout.write(`── ${command}\n`);
  const options = { stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
  spawnSync('apt-get', ['update', '-qq'], options);
  spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], options);
  if (missing(names).length > 0) throw new Error(`The tests need: ${command}`);
}
