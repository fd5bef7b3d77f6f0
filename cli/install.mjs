/*
 * Brings node_modules in line with package-lock.json and knows the Node that runs the hub. Plain JavaScript for Node 20,
 * without packages: it runs before anything is installed.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The Node of package.json; the caller's own only starts it. */
export const nodeBinary = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');

/** Compiled code of the hub, kept between starts: halves what loading costs. Goes with node_modules when those change. */
const compileCache = join(root, 'node_modules', '.cache', 'lien-thong');
/** Files of a cache of one version; more are left over from versions of before. */
const compiledFiles = 8_000;

/** Settings of Node itself for every process of the hub. */
export function nodeEnvironment() {
  return { NODE_COMPILE_CACHE: compileCache };
}

function boundCompileCache() {
  try {
    if (readdirSync(compileCache, { recursive: true }).length > compiledFiles)
      rmSync(compileCache, { recursive: true, force: true });
  } catch {
    // There is none yet, or it is somebody else's.
  }
}

const read = (path) => JSON.parse(readFileSync(path, 'utf8'));

/**
 * npm writes node_modules/.package-lock.json last, so an installation cut short has none. What is optional may be missing
 * (packages of other platforms) but may not be another version.
 */
export function fits() {
  let wanted;
  let present;
  try {
    wanted = read(join(root, 'package-lock.json')).packages;
    present = read(join(root, 'node_modules', '.package-lock.json')).packages;
  } catch {
    return false;
  }
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '') continue;
    const found = present[path];
    if (found === undefined) {
      if (entry.optional === true || entry.devOptional === true) continue;
      return false;
    }
    if (found.version !== entry.version || found.integrity !== entry.integrity) return false;
  }
  return true;
}

/** Node 24 and PostgreSQL come from install scripts, which an npm may be told not to run: say so instead of failing later. */
function complaint() {
  if (!existsSync(nodeBinary)) return 'Node 24 (package "node") was not unpacked';
  const version = spawnSync(nodeBinary, ['--version'], { encoding: 'utf8' });
  if (version.status !== 0) return `Node 24 does not run on this machine: ${version.error?.message ?? version.stderr.trim()}`;
  if (!/^v24\./.test(version.stdout)) return `Node 24 expected, ${version.stdout.trim()} found`;
  return null;
}

function npm(args) {
  // Under `npm start` npm says where it is; else the one on the PATH.
  const path = process.env.npm_execpath;
  const [command, first] = path !== undefined && /\.[cm]?js$/.test(path) ? [process.execPath, [path]] : ['npm', []];
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...first, ...args], { cwd: root, stdio: ['ignore', 2, 'inherit'], shell: false });
    const stop = (signal) => child.kill(signal);
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      process.off('SIGTERM', stop);
      process.off('SIGINT', stop);
      if (signal !== null) reject(new Error(`npm was stopped by ${signal}`));
      else resolve(code ?? 1);
    });
  });
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function isLink(path) {
  try {
    return lstatSync(path).isSymbolicLink();
  } catch {
    return false;
  }
}

/** Two starts from one checkout must not install over one another. The lock lies outside node_modules, which npm ci deletes. */
async function alone(work) {
  const name = createHash('sha256')
    .update(`${root}\0${process.getuid?.() ?? ''}`)
    .digest('hex')
    .slice(0, 24);
  const lock = join(tmpdir(), `lien-thong-install-${name}`);
  for (;;) {
    try {
      mkdirSync(lock, { mode: 0o700 });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    let pid = null;
    let age = 0;
    try {
      age = Date.now() - statSync(lock).mtimeMs;
      pid = Number(readFileSync(join(lock, 'pid'), 'utf8')) || null;
    } catch {
      // Just made or just gone.
    }
    if (pid === null ? age > 5_000 : !alive(pid)) rmSync(lock, { recursive: true, force: true });
    await sleep(200);
  }
  try {
    writeFileSync(join(lock, 'pid'), String(process.pid));
    return await work();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

/** `npm ci` when node_modules does not fit package-lock.json; otherwise some ten milliseconds. Throws with a text for people. */
export async function install() {
  boundCompileCache();
  if (fits() && complaint() === null) return;
  await alone(async () => {
    if (fits() && complaint() === null) return;
    if (isLink(join(root, 'node_modules'))) {
      // npm ci empties the folder behind the link before it puts one of its own in its place.
      throw new Error(
        'node_modules là một liên kết và không khớp package-lock.json: hãy xóa liên kết rồi chạy lại · ' +
          'node_modules is a link and does not fit package-lock.json: remove the link and start again',
      );
    }
    process.stderr.write('Cài đặt các gói cần thiết (vài phút) · Installing packages (a few minutes)\n');
    const code = await npm(['ci', '--include=dev', '--ignore-scripts=false', '--no-audit', '--no-fund', '--loglevel=error']);
    if (code !== 0) {
      throw new Error(
        'npm ci thất bại, xem thông báo phía trên: cần kết nối tới kho gói npm · ' +
          'npm ci failed, see its message above: it needs the npm registry (or a mirror set by `npm config set registry`)',
      );
    }
    const missing = complaint();
    if (missing !== null) {
      throw new Error(
        `${missing}. npm không chạy các bước cài đặt của gói · npm did not run the packages' install scripts: ` +
          'run `npm ci --ignore-scripts=false` (npm 12 and later: `npm approve-scripts`) and start again',
      );
    }
  });
}
