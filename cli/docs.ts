import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { permissionsPage } from '#kernel/auth/permissions-page.ts';
import { hubFolder } from '#kernel/config.ts';
import { errorCodesPage } from '#kernel/errors/error-codes-page.ts';
import { settingsPage } from './settings-page.ts';
import type { Verb } from './verb.ts';

/** The pages that a machine knows, by file in `docs/`. */
const pages: Readonly<Record<string, () => string>> = {
  'settings.md': settingsPage,
  'error-codes.md': errorCodesPage,
  'permissions.md': permissionsPage,
};

/** Prints those of them that are not current. */
export const verb: Verb = {
  usage: '[--check]',
  help: {
    en: 'prints docs/settings.md, error-codes.md and permissions.md anew; with --check only says whether they are current',
    vi: 'in lại docs/settings.md, error-codes.md và permissions.md; với --check chỉ cho biết các trang có còn đúng không',
  },
  options: { check: { type: 'boolean', help: { en: 'writes nothing', vi: 'không ghi gì' } } },
  run(context, args) {
    const check = args.flag('check');
    const states = Object.entries(pages).map(([name, page]) => {
      const file = join(hubFolder, 'docs', name);
      const current = readFileSync(file, { encoding: 'utf8', flag: 'a+' }) === page();
      if (!current && !check) writeFileSync(file, page());
      if (!current && check) context.say({ en: `docs/${name} is stale`, vi: `docs/${name} đã cũ` });
      return [name, current ? 'current' : check ? 'stale' : 'written'] as const;
    });
    const stale = states.some(([, state]) => state === 'stale');
    return Promise.resolve({ exit: stale ? 1 : 0, json: { pages: Object.fromEntries(states) } });
  },
};
