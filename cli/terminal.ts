import type { Progress, Wording } from './verb.ts';

/** Vietnamese unless the terminal says otherwise. */
export function languageOf(env: Readonly<Record<string, string | undefined>>): 'vi' | 'en' {
  const locale = env.HUB_LANG ?? env.LC_ALL ?? env.LC_MESSAGES ?? env.LANG ?? '';
  return /^en/i.test(locale) ? 'en' : 'vi';
}

export function worded(text: string | Wording, language: 'vi' | 'en'): string {
  return typeof text === 'string' ? text : text[language];
}

const width = 28;

/**
 * A bar on a terminal, redrawn at most ten times a second; in a file one line for every tenth, so that a log stays short.
 */
export function progressBar(out: NodeJS.WriteStream, label: string): Progress {
  const began = performance.now();
  let drawn = Number.NEGATIVE_INFINITY;
  let tenth = -1;
  let last: { done: number; total: number | null } = { done: 0, total: null };

  const line = () => {
    const { done, total } = last;
    const seconds = (performance.now() - began) / 1000;
    const pace = seconds > 0.5 ? ` ${Math.round(done / seconds).toLocaleString('en')}/s` : '';
    if (total === null || total === 0) return `${label} ${done.toLocaleString('en')}${pace}`;
    const share = Math.min(done / total, 1);
    const full = Math.round(share * width);
    const left = done > 0 && done < total ? ` · ${Math.ceil((seconds / done) * (total - done))} s` : '';
    return (
      `${label} [${'█'.repeat(full)}${'░'.repeat(width - full)}] ${Math.floor(share * 100)} % ` +
      `${done.toLocaleString('en')}/${total.toLocaleString('en')}${pace}${left}`
    );
  };

  return {
    at(done, total) {
      last = { done, total };
      if (out.isTTY) {
        if (performance.now() - drawn < 100) return;
        drawn = performance.now();
        out.write(`\r\u001b[K${line()}`);
        return;
      }
      const now = total === null || total === 0 ? -1 : Math.floor((done / total) * 10);
      if (now === tenth) return;
      tenth = now;
      out.write(`${line()}\n`);
    },
    end() {
      if (out.isTTY) out.write(`\r\u001b[K${line()}\n`);
    },
  };
}
