import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';

const file = new URL('results.md', import.meta.url);

/** Replaces the section of one benchmark in results.md, with machine and date. */
export function recordResult(name: string, text: string): void {
  const all = read();
  const [processor] = cpus();
  const machine = `${cpus().length} × ${processor?.model ?? 'unknown processor'}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, ${type()} ${release()}, Node ${process.version}`;
  const section = `## ${name}\n\n${new Date().toISOString().slice(0, 10)}; ${machine}.\n\n${text}\n`;
  const old = new RegExp(`^## ${name}\n[\\s\\S]*?(?=^## |$(?![\\s\\S]))`, 'm');
  writeFileSync(file, old.test(all) ? all.replace(old, () => `${section}\n`) : `${all.trimEnd()}\n\n${section}`);
}

function read(): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '# Results of the benchmarks\n\nWritten by `npm run bench`; the last full run of each, with machine and date.\n';
  }
}
