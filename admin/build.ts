import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

/*
 * The built admin lies in admin/dist with a stamp of the sources it was made from. A start that finds the stamp of today's sources
 * builds nothing (some milliseconds); an image that holds no sources' packages ships a built one.
 */

const folder = import.meta.dirname;
const built = join(folder, 'dist');
const stampFile = '.stamp';
/** On the same disk, so that a build takes its place by renaming. */
const scratch = join(folder, '..', 'node_modules', '.cache');

/** Everything the built files hang on: our sources, and the packages by the lock file. */
function stampOfSources(): string {
  const hash = createHash('sha256');
  const files = readdirSync(join(folder, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.includes('.test.'))
    .map((entry) => join(entry.parentPath, entry.name))
    .concat(
      ['index.html', 'vite.config.ts', 'build-options.ts', 'build.ts', '../package-lock.json'].map((name) => join(folder, name)),
    )
    .sort();
  for (const file of files) hash.update(file.slice(folder.length)).update('\0').update(readFileSync(file)).update('\0');
  return hash.digest('hex');
}

function stampOf(directory: string): string | null {
  const file = join(directory, stampFile);
  return existsSync(file) ? readFileSync(file, 'utf8') : null;
}

/** Builds admin/dist unless it is there and of today. True when it built. Safe while another start does the same: the last one wins whole. */
export async function buildAdmin(onBuild: () => void = () => undefined): Promise<boolean> {
  const stamp = stampOfSources();
  if (stampOf(built) === stamp) return false;
  onBuild();
  const { build } = await import('vite');
  const fresh = join(scratch, `admin-${randomUUID()}`);
  const before = join(scratch, `admin-${randomUUID()}`);
  try {
    await build({ configFile: join(folder, 'vite.config.ts'), logLevel: 'warn', build: { outDir: fresh, emptyOutDir: true } });
    compress(join(fresh, 'assets'));
    writeFileSync(join(fresh, stampFile), stamp);
    if (existsSync(built)) renameSync(built, before);
    renameSync(fresh, built);
  } catch (error) {
    // Somebody else's build of the same sources came between removing and renaming: it is as good as ours.
    if (stampOf(built) !== stamp) throw error;
  } finally {
    for (const left of [fresh, before]) rmSync(left, { recursive: true, force: true });
  }
  return true;
}

/** Beside each text file the two forms in which it is sent, so that serving compresses nothing. */
function compress(assets: string): void {
  for (const name of readdirSync(assets)) {
    if (!/\.(?:js|css|svg)$/.test(name)) continue;
    const bytes = readFileSync(join(assets, name));
    writeFileSync(join(assets, `${name}.gz`), gzipSync(bytes, { level: 9 }));
    writeFileSync(join(assets, `${name}.br`), brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }));
  }
}
