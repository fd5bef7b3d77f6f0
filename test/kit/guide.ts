import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { checkout, type TestHub } from './hub.ts';

/*
 * The examples of a guide, run as they are written. A block that begins by naming a file (`# card.py`, `// card.ts`) is that file; blocks of
 * the shell follow one another in one shell and one folder; what stands behind such a block as `json` or `text` is what it must print.
 * Only the hub's address differs from the page.
 */

interface Block {
  readonly language: string;
  readonly text: string;
  /** Line of the page, to find it again. */
  readonly line: number;
}

export interface Example {
  readonly line: number;
  readonly printed: string;
  /** Null: the page does not say. */
  readonly promised: string | null;
}

export function blocksOf(page: string, section?: string): readonly Block[] {
  const text = readFileSync(join(checkout, page), 'utf8');
  const from = section === undefined ? 0 : text.indexOf(`## ${section}\n`);
  if (from < 0) throw new Error(`${page} has no section “${section ?? ''}”`);
  const next = section === undefined ? -1 : text.indexOf('\n## ', from);
  const part = text.slice(from, next < 0 ? undefined : next);
  const before = text.slice(0, from).split('\n').length;
  return [...part.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(({ 1: language = '', 2: code = '', index }) => ({
    language,
    text: code,
    line: before + part.slice(0, index).split('\n').length - 1,
  }));
}

/** Lines that fetch packages: whoever checks the guide has them, and a test reaches no registry. */
const installs = /^npm install /m;

export function packagesOf(blocks: readonly Block[]): readonly string[] {
  return blocks
    .filter(({ language, text }) => language === 'sh' && installs.test(text))
    .flatMap(({ text }) => text.trim().split(/\s+/).slice(2))
    .filter((word) => !word.startsWith('-'));
}

/** Runs all of them; fails with what the shell said at the first that fails. */
export async function runGuide(hub: TestHub, blocks: readonly Block[]): Promise<readonly Example[]> {
  const folder = mkdtempSync(join(tmpdir(), 'lien-thong-guide-'));
  try {
    const here = (text: string): string => text.replaceAll('http://127.0.0.1:4000', hub.address);
    symlinkSync(join(checkout, 'node_modules'), join(folder, 'node_modules'));
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    for (const { text } of blocks) {
      const [, name] = /^(?:#|\/\/) ([\w-]+\.\w+)\n/.exec(text) ?? [];
      if (name !== undefined) writeFileSync(join(folder, name), here(text));
    }
    const commands = blocks.flatMap((block, index) =>
      block.language === 'sh' && !installs.test(block.text) ? [{ ...block, next: blocks[index + 1] }] : [],
    );
    const mark = '<<< next example >>>';
    const script = commands.map(({ text }) => here(text)).join(`\nprintf '%s' '${mark}'\n`);
    const printed = (await shell(folder, script)).split(mark);
    return commands.map(({ line, next }, index) => ({
      line,
      printed: printed[index]?.trim() ?? '',
      promised: next?.language === 'json' || next?.language === 'text' ? next.text.trim() : null,
    }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function shell(folder: string, script: string): Promise<string> {
  // The guide's `node` is the one that the hub runs on.
  const path = [dirname(process.execPath), join(checkout, 'node_modules', '.bin'), process.env.PATH ?? ''].join(':');
  const child = spawn('bash', ['-euo', 'pipefail', '-c', script], {
    cwd: folder,
    env: { PATH: path, HOME: process.env.HOME ?? folder, LANG: 'C.UTF-8' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`an example ended with ${String(code)}:\n${out}\n${err}`);
  return out;
}
