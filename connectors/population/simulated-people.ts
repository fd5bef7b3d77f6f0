/*
 * The people whom the simulated population database knows: the same synthetic provinces as the hub's, from the same seeds, each in the
 * writing of that database. Some are written otherwise than the hub writes them, and mean the same: no difference. What differs in the
 * matter is planted by kernel/synthetic alone.
 */
import { setImmediate as breath } from 'node:timers/promises';
import type { PlainDay } from '#kernel/domain/plain-date.ts';
import { currentPlace, findCommune } from '#kernel/places/index.ts';
import type { Facts } from '#kernel/synthetic/facts.ts';
import { Random } from '#kernel/synthetic/random.ts';
import { homeCommunes } from '#kernel/synthetic/units.ts';
import { baseDayOf, generatedWorlds } from '#kernel/synthetic/world-files.ts';
import { demoWorld, largeWorld, type World } from '#kernel/synthetic/world.ts';

/** Elements of one CongDan by their names; a place by the names of its own. Empty ones are left out. */
export interface WrittenPerson {
  readonly SoDinhDanh: string;
  readonly SoCMND: string;
  readonly Ho: string;
  readonly ChuDem: string;
  readonly Ten: string;
  readonly Nam: string;
  readonly NgayThangNam: string;
  readonly GioiTinh: string;
  readonly NoiDangKyKhaiSinh: WrittenAt;
  readonly QueQuan: WrittenAt;
  readonly ThuongTru: WrittenAt;
  /** The commune with which a stated one is compared: today's, where the record was carried over to it. */
  readonly confirmedCommune: string;
}
export interface WrittenAt {
  readonly MaTinhThanh: string;
  readonly MaQuanHuyen: string;
  readonly MaPhuongXa: string;
  readonly ChiTiet: string;
}

/** What the database knew of somebody from some time on. */
interface Version {
  readonly person: WrittenPerson | null;
  readonly asOf: number;
}

/** A change that the database learns of: elements that are another from now on, or nobody any more. */
export interface Correction {
  readonly personalId: string;
  readonly forget?: boolean;
  readonly elements?: Readonly<Partial<Record<'SoCMND' | 'Ten' | 'Nam' | 'NgayThangNam' | 'GioiTinh', string>>>;
}

export interface SimulatedPeople {
  /** Newest first; empty: nobody ever had this number. */
  find(personalId: string): Promise<readonly Version[]>;
  correct(correction: Correction): Promise<boolean>;
}

/** Once in so many people something is written otherwise. */
const otherwise = 12;

export async function simulatedPeople(options: { readonly seed: number; readonly dataDir: string }): Promise<SimulatedPeople> {
  const baseDay: PlainDay = await baseDayOf(options.dataDir);
  const beginning = Date.parse(`${baseDay}T00:00:00+07:00`);
  const places = new Map<string, { readonly world: World; readonly index: number }>();
  const known = new Set<string>();
  const corrections = new Map<string, Version[]>();

  async function learn(world: World, name: string): Promise<void> {
    known.add(name);
    for (let index = 0; index < world.plan.citizens; index += 1) {
      const number = world.citizen(index).theirs?.personalId ?? null;
      // Of two provinces with one number the older is the database's.
      if (number !== null && !places.has(number)) places.set(number, { world, index });
      if (index % 500 === 499) await breath();
    }
  }
  await learn(demoWorld(options.seed, baseDay), 'demo');

  let learning: Promise<void> = Promise.resolve();
  let looked = 0;
  /** Provinces that were generated since; looked for at most once a second. */
  function learnNew(): Promise<void> {
    if (performance.now() - looked < 1_000) return learning;
    looked = performance.now();
    learning = learning.then(async () => {
      for (const { seed, citizens, dirty } of await generatedWorlds(options.dataDir)) {
        const name = `large ${String(seed)}`;
        if (!known.has(name)) await learn(largeWorld(seed, citizens, dirty, baseDay), name);
      }
    });
    return learning;
  }

  async function find(personalId: string): Promise<readonly Version[]> {
    if (!places.has(personalId)) await learnNew();
    const place = places.get(personalId);
    const facts = place?.world.citizen(place.index).theirs ?? null;
    const first: Version[] =
      place === undefined || facts === null
        ? []
        : [{ person: written(facts, new Random(place.world.plan.seed, 'writing', place.index)), asOf: beginning }];
    return [...(corrections.get(personalId) ?? []), ...first];
  }
  await learnNew();

  return {
    find,
    async correct({ personalId, forget = false, elements = {} }) {
      const [newest] = await find(personalId);
      const person = newest?.person ?? null;
      if (person === null) return false;
      const next: Version = { person: forget ? null : { ...person, ...elements }, asOf: Date.now() };
      corrections.set(personalId, [next, ...(corrections.get(personalId) ?? [])]);
      return true;
    },
  };
}

const nowhere: WrittenAt = { MaTinhThanh: '', MaQuanHuyen: '', MaPhuongXa: '', ChiTiet: '' };

function written(facts: Facts, random: Random): WrittenPerson {
  const vary = random.below(otherwise) === 0 ? random.below(8) : -1;
  const name = nameAs(facts.fullName, vary);
  const [Ho, ChuDem, Ten] = vary === 2 ? inThree(name) : ['', '', name];
  const permanent = addressOf(facts.permanent, vary);
  const day = facts.dateOfBirth.replaceAll('-', '');
  const yearAlone = day.length < 8 || vary === 3;
  return {
    SoDinhDanh: facts.personalId ?? '',
    SoCMND: facts.oldIdNumber ?? '',
    Ho,
    ChuDem,
    Ten,
    Nam: yearAlone ? day.slice(0, 4) : '',
    NgayThangNam: yearAlone ? '' : day,
    GioiTinh: facts.gender === 'MALE' ? '1' : '2',
    NoiDangKyKhaiSinh: inWords(facts.birthplace, vary),
    QueQuan: inWords(facts.nativePlace, vary),
    ThuongTru: permanent,
    confirmedCommune:
      facts.permanent.list === '2024' ? (currentPlace(facts.permanent.code, '2024').currentCode ?? '') : permanent.MaPhuongXa,
  };
}

function nameAs(name: string, vary: number): string {
  switch (vary) {
    case 0:
      return olderTones(name).toUpperCase();
    case 1:
      return name.normalize('NFD').toUpperCase();
    case 4:
      return name.replaceAll(' ', '  ');
    default:
      return name.toUpperCase();
  }
}

/** Hoà → Hòa, Thuý → Thúy: the tone on the other letter, as older writing has it. */
function olderTones(name: string): string {
  return name
    .normalize('NFD')
    .replace(
      /([ou])([ay])([\u0300\u0301\u0303\u0309\u0323])(?=\s|$)/gi,
      (_, first: string, second: string, tone: string) => `${first}${tone}${second}`,
    )
    .normalize('NFC');
}

function inThree(name: string): [string, string, string] {
  const words = name.split(' ');
  return [words[0] ?? '', words.slice(1, -1).join(' '), words.at(-1) ?? ''];
}

function inWords(text: string | null, vary: number): WrittenAt {
  if (text === null) return nowhere;
  return { ...nowhere, ChiTiet: vary === 5 ? shortened(text) : vary === 6 ? text.toUpperCase() : text };
}

function shortened(text: string): string {
  return text
    .replace(/(?<=^|, )Tỉnh /g, 'T. ')
    .replace(/(?<=^|, )Xã /g, 'X. ')
    .replace(/(?<=^|, )Phường /g, 'P.')
    .replace(/^Thôn /, 'Thôn số ');
}

function addressOf({ text, code, list }: Facts['permanent'], vary: number): WrittenAt {
  const detail = text.split(', ')[0] ?? '';
  const old = list === '2025' && vary === 7 ? (homeCommunes().find((commune) => commune.code === code)?.before[0] ?? null) : null;
  const place = old ?? findCommune(code, list);
  return {
    MaTinhThanh: place?.provinceCode ?? '',
    // Numbers of districts are nobody's any more; that there was one says which list it is.
    MaQuanHuyen: old !== null || list === '2024' ? '999' : '',
    MaPhuongXa: place?.code ?? code,
    ChiTiet: vary === 6 ? detail.replace(/^Tổ /, 'TDP ').toUpperCase() : detail,
  };
}
