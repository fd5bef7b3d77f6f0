import { oldProvinces } from '#kernel/domain/province-codes.ts';
import { fold } from '#kernel/domain/person-name.ts';
import { currentPlace, everyCommune, findCommune, type PlaceList } from '#kernel/places/index.ts';
import { provinces } from '#kernel/places/provinces.ts';

/*
 * Whether two writings of a place mean the same place: "P. Quy Nhơn Bắc, Gia Lai" and "phường Qui Nhơn Bắc, tỉnh Gia Lai"; a commune of
 * before 01/07/2025 and what became of it; a province, and a commune in it. Pure.
 */

/** A place as one side writes it. */
export interface WrittenPlace {
  /** The whole place in words, or what stands before the commune where a code is given. */
  readonly text: string | null;
  readonly code: string | null;
  readonly list: PlaceList | null;
}

/** What is known of a place: the communes of today that may be meant, or only the province; and what stands before the commune. */
interface ReadPlace {
  readonly communes: ReadonlySet<string>;
  /** Codes of today's provinces. */
  readonly provinces: ReadonlySet<string>;
  readonly list: PlaceList | null;
  readonly detail: string;
}

export function samePlace(one: WrittenPlace, other: WrittenPlace): boolean {
  const a = read(one);
  const b = read(other);
  if (a.communes.size > 0 && b.communes.size > 0) {
    if (a.communes.isDisjointFrom(b.communes)) return false;
    // Hamlets were numbered anew where communes were put together.
    return (a.list !== null && b.list !== null && a.list !== b.list) || sameDetail(a.detail, b.detail);
  }
  // One side is less precise: a province does not contradict a commune in it.
  if (a.provinces.size > 0 && b.provinces.size > 0) {
    if (a.provinces.isDisjointFrom(b.provinces)) return false;
    return a.detail === '' || b.detail === '' || sameDetail(a.detail, b.detail);
  }
  return sameDetail(words(one.text ?? ''), words(other.text ?? ''));
}

/** The one commune that a text names, by today's list before that of before the reform; `null` where it names none or several. */
export function communeInWords(text: string): { readonly code: string; readonly list: PlaceList } | null {
  const { communes } = parse(text);
  const today = communes.filter(({ list }) => list === '2025');
  const [only, second] = today.length > 0 ? today : communes;
  return only === undefined || second !== undefined ? null : { code: only.code, list: only.list };
}

/** The text as it stands before the commune of this code: house, street, hamlet. The whole text where it names another commune. */
export function detailBefore(text: string, code: string | null, list: PlaceList | null): string | null {
  const commune = code === null || list === null ? null : findCommune(code, list);
  if (commune === null) return text;
  const parts = text.split(',').map((part) => part.trim());
  const at = parts.findIndex((part) => partOf(part).bare === partOf(commune.name).bare);
  if (at === -1) return text;
  return at === 0 ? null : parts.slice(0, at).join(', ');
}

const communeKinds = ['xa', 'x', 'phuong', 'p', 'ph', 'thi tran', 'tt', 'dac khu', 'dk'];
const districtKinds = ['huyen', 'h', 'quan', 'q', 'thi xa', 'tx', 'thanh pho', 'tp'];
const provinceKinds = ['tinh', 't', 'thanh pho', 'tp'];

interface Part {
  /** Without its kind, letters and digits alone. */
  readonly bare: string;
  /** With it, as it is written. */
  readonly words: string;
  readonly kind: 'commune' | 'district' | null;
}

/** Letters and digits without tones; i and y sound alike and are written either way. */
function key(text: string): string {
  return fold(text)
    .replaceAll('y', 'i')
    .replace(/[^a-z0-9]+/g, '');
}

function words(text: string): string {
  return fold(text)
    .replace(/[^a-z0-9/]+/g, ' ')
    .trim();
}

function partOf(text: string): Part {
  const written = words(text);
  const without = (kinds: readonly string[]): string | null => {
    const found = kinds
      .filter((kind) => written.startsWith(`${kind} `) || new RegExp(`^${kind}\\d`).test(written))
      .sort((a, b) => b.length - a.length)[0];
    return found === undefined ? null : written.slice(found.length).trim();
  };
  const commune = without(communeKinds);
  if (commune !== null) return { bare: key(commune), words: written, kind: 'commune' };
  const district = without(districtKinds);
  if (district !== null) return { bare: key(district), words: written, kind: 'district' };
  return { bare: key(without(provinceKinds) ?? written), words: written, kind: null };
}

interface NamedCommune {
  readonly code: string;
  readonly target: string;
  readonly list: PlaceList;
  /** Of today. */
  readonly province: string;
  /** Of its own list, by name. */
  readonly provinceName: string;
  readonly district: string | null;
}

let communesByName: ReadonlyMap<string, readonly NamedCommune[]> | null = null;
let provincesByName: ReadonlyMap<string, string> | null = null;

function communesNamed(bare: string): readonly NamedCommune[] {
  if (communesByName === null) {
    const all = (['2025', '2024'] as const).flatMap((list) =>
      everyCommune(list).map(({ code, name, provinceCode, district, target }) => {
        const province = findCommune(target, '2025')?.provinceCode ?? '';
        const own = list === '2024' ? (oldProvinces[provinceCode]?.name ?? '') : (provinces[provinceCode] ?? '');
        const provinceName = partOf(own).bare;
        return [
          partOf(name).bare,
          { code, target, list, province, provinceName, district: district === null ? null : partOf(district).bare },
        ] as const;
      }),
    );
    const byName = new Map<string, NamedCommune[]>();
    for (const [name, commune] of all) {
      const known = byName.get(name);
      if (known === undefined) byName.set(name, [commune]);
      else known.push(commune);
    }
    communesByName = byName;
  }
  return communesByName.get(bare) ?? [];
}

/** Province of today by the name that it has or had. */
function provinceNamed(bare: string): string | null {
  provincesByName ??= new Map([
    ...Object.values(oldProvinces).map(({ name, newCode }) => [key(name), newCode] as const),
    ...Object.entries(provinces).map(([code, name]) => [partOf(name).bare, code] as const),
    ['hcm', '79'],
    ['saigon', '79'],
    ['hue', '46'],
  ]);
  return provincesByName.get(bare) ?? null;
}

interface ParsedText {
  readonly province: string | null;
  readonly communes: readonly NamedCommune[];
  /** Parts before the commune. */
  readonly rest: readonly Part[];
}

function parse(text: string | null): ParsedText {
  const rest = (text ?? '')
    .split(/[,;]|\s[-–]\s/)
    .map(partOf)
    .filter(({ bare }) => bare !== '');
  const last = rest.at(-1);
  const province = last === undefined || last.kind === 'commune' ? null : provinceNamed(last.bare);
  if (province !== null) rest.pop();
  const district = rest.at(-1)?.kind === 'district' ? rest.pop() : undefined;
  const named = province === null || last === undefined ? null : { code: province, bare: last.bare };
  return { province, ...communeIn(rest, named, district?.bare ?? null) };
}

function read({ text, code, list }: WrittenPlace): ReadPlace {
  const named = parse(text);
  const { province } = named;
  if (code !== null && list !== null) {
    const now = currentPlace(code, list).currentCode;
    if (now !== null) {
      const home = findCommune(now, '2025')?.provinceCode;
      return {
        communes: new Set([now]),
        provinces: new Set(home === undefined ? [] : [home]),
        list,
        detail: detailOf(named.rest),
      };
    }
  }
  const certain = new Set(named.communes.map(({ list: from }) => from));
  return {
    communes: new Set(named.communes.map(({ target }) => target)),
    provinces: new Set(province !== null ? [province] : named.communes.map((commune) => commune.province)),
    list: certain.size === 1 ? ([...certain][0] ?? null) : null,
    detail: detailOf(named.rest),
  };
}

/** The commune that the last part names, as far as province and district allow, and the parts before it. */
function communeIn(
  parts: readonly Part[],
  province: { readonly code: string; readonly bare: string } | null,
  district: string | null,
): { readonly communes: readonly NamedCommune[]; readonly rest: readonly Part[] } {
  const last = parts.at(-1);
  // "Thôn 2" beside a code is no commune; a name without its kind counts only beside a province.
  if (last === undefined || (last.kind !== 'commune' && province === null)) return { communes: [], rest: parts };
  const possible = communesNamed(last.bare).filter(
    (commune) =>
      (province === null || commune.province === province.code) &&
      (district === null || commune.district === null || commune.district === district),
  );
  // "Gia Lai" beside an old name is the old Gia Lai, unless only that of today has such a commune.
  const named = possible.filter(({ provinceName }) => provinceName === province?.bare);
  const fitting = named.length > 0 ? named : possible;
  // A district says that it is written by the old list.
  const old = district === null ? [] : fitting.filter((commune) => commune.district === district);
  const communes = old.length > 0 ? old : fitting;
  return communes.length === 0 && last.kind !== 'commune' ? { communes, rest: parts } : { communes, rest: parts.slice(0, -1) };
}

function detailOf(parts: readonly Part[]): string {
  return parts.map(({ words }) => words).join(' ');
}

/** Words of an address that say what kind of thing its name or number is: written, shortened or left out as one likes. */
const kindsOfDetail = new Set(
  'so nha sn duong d pho ngo ngach hem kiet to dan tdp khu kp thon xom ap ban buon lang doi khoi kv vuc cum dia phan'.split(' '),
);

/** Equal, or one says less than the other. */
function sameDetail(one: string, other: string): boolean {
  const bare = (detail: string): readonly string[] =>
    detail
      .replace(/(?<=[a-z])(?=\d)|(?<=\d)(?=[a-z])/g, ' ')
      .split(' ')
      .filter((word) => word !== '' && !kindsOfDetail.has(word))
      .map((word) => word.replaceAll('y', 'i'));
  const [less, more] = [bare(one), bare(other)].sort((a, b) => a.length - b.length);
  return less?.every((word) => more?.includes(word) === true) ?? true;
}
