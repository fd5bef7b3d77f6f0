/*
 * Communes before and after 01/07/2025. An address keeps its text, its code and the version of the list the code is from; what
 * it means today is derived here, with a confidence, and never written over the original.
 *
 * The lists are files beside this module (licences: data/LICENSES.md), read once on first use: 13,356 rows, some 20 ms, 4 MiB.
 */
import { readFileSync } from 'node:fs';

const placeLists = ['2024', '2025'] as const;
/** `2024`: communes up to 30/06/2025 (10,035). `2025`: communes from 01/07/2025 (3,321). The same code may stand in both. */
export type PlaceList = (typeof placeLists)[number];

/** `MAIN_TARGET`: the old commune was divided, or its successor is not confirmed; the address detail decides, not the code. */
export type PlaceConfidence = 'EXACT' | 'MAIN_TARGET' | 'UNKNOWN';

export interface Commune {
  readonly code: string;
  readonly name: string;
  readonly provinceCode: string;
}

export interface CurrentPlace {
  readonly currentCode: string | null;
  readonly confidence: PlaceConfidence;
}

interface OldCommune extends Commune {
  readonly district: string;
  readonly target: string;
  readonly certain: boolean;
}

interface Lists {
  readonly now: ReadonlyMap<string, Commune>;
  readonly before: ReadonlyMap<string, OldCommune>;
}

let lists: Lists | null = null;

/** What a code of one list means today. */
export function currentPlace(code: string, list: PlaceList): CurrentPlace {
  const { now, before } = loaded();
  switch (list) {
    case '2025': {
      const commune = now.get(code);
      return commune === undefined
        ? { currentCode: null, confidence: 'UNKNOWN' }
        : { currentCode: commune.code, confidence: 'EXACT' };
    }
    case '2024': {
      const old = before.get(code);
      if (old === undefined) return { currentCode: null, confidence: 'UNKNOWN' };
      return { currentCode: old.target, confidence: old.certain ? 'EXACT' : 'MAIN_TARGET' };
    }
  }
}

/** The lists that know a code; both for a commune that kept its code, and then only the sender can say which he used. */
export function listsWith(code: string): readonly PlaceList[] {
  const { now, before } = loaded();
  return placeLists.filter((list) => (list === '2024' ? before : now).has(code));
}

export function findCommune(code: string, list: PlaceList): Commune | null {
  const { now, before } = loaded();
  return (list === '2024' ? before : now).get(code) ?? null;
}

/** Communes in force of a province, by code. */
export function communesOf(provinceCode: string): readonly Commune[] {
  return [...new Set(loaded().now.values())].filter((commune) => commune.provinceCode === provinceCode);
}

/** Communes of before the reform whose main successor lies in a province of today, by code. */
export function oldCommunesOf(
  provinceCode: string,
): readonly (Commune & { readonly district: string; readonly target: string })[] {
  const { now, before } = loaded();
  return [...before.values()].filter(({ target }) => now.get(target)?.provinceCode === provinceCode);
}

/** Every commune of a list; of before the reform with its district and what became of it. */
export function everyCommune(
  list: PlaceList,
): readonly (Commune & { readonly district: string | null; readonly target: string })[] {
  const { now, before } = loaded();
  return list === '2024'
    ? [...before.values()]
    : [...new Set(now.values())].map((commune) => ({ ...commune, district: null, target: commune.code }));
}

function loaded(): Lists {
  lists ??= load();
  return lists;
}

function load(): Lists {
  const now = new Map<string, Commune>();
  for (const [code = '', name = '', , provinceCode = '', alias = ''] of rowsOf('communes-34.csv')) {
    const commune = { code, name, provinceCode };
    now.set(code, commune);
    if (alias !== '') now.set(alias, commune); // Ba Chẽ: two official sources, two codes
  }
  const before = new Map<string, OldCommune>();
  for (const [code = '', name = '', district = '', provinceCode = '', target = '', , , split, confirmed] of rowsOf(
    'commune-old-to-new.csv',
  )) {
    before.set(code, { code, name, district, provinceCode, target, certain: split === 'no' && confirmed === 'yes' });
  }
  return { now, before };
}

/** The files hold no quotes: a comma always separates. */
function rowsOf(file: string): readonly (readonly string[])[] {
  const lines = readFileSync(new URL(`data/${file}`, import.meta.url), 'utf8').split('\n');
  return lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .slice(1)
    .map((line) => line.split(','));
}
