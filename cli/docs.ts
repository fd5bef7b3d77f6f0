import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hubFolder } from '#kernel/config.ts';
import { settingsPage } from './settings-page.ts';
import type { Verb } from './verb.ts';

const file = join(hubFolder, 'docs', 'settings.md');

/** Prints the pages that a machine knows. */
export const verb: Verb = {
  usage: '[--check]',
  help: {
    en: 'prints docs/settings.md anew; with --check only says whether it is current',
    vi: 'in lại docs/settings.md; với --check chỉ cho biết trang có còn đúng không',
  },
  options: { check: { type: 'boolean', help: { en: 'writes nothing', vi: 'không ghi gì' } } },
  run(context, args) {
    const current = readFileSync(file, { encoding: 'utf8', flag: 'a+' }) === settingsPage();
    if (!args.flag('check') && !current) writeFileSync(file, settingsPage());
    const stale = args.flag('check') && !current;
    if (stale) context.say({ en: 'docs/settings.md is stale', vi: 'docs/settings.md đã cũ' });
    return Promise.resolve({ exit: stale ? 1 : 0, json: { settings: current ? 'current' : stale ? 'stale' : 'written' } });
  },
};
