import { communesOf, oldCommunesOf, type Commune } from '../places/index.ts';

/** The province of today whose communes the synthetic province borrows; old codes of the same land. */
export const home = { province: '52', name: 'Tỉnh Gia Lai', oldProvinces: ['52', '64'] } as const;

type UnitLevel = 'PROVINCE' | 'CENTRE' | 'STATION' | 'FACILITY';

export interface SyntheticUnit {
  /** Position in the plan, from 0; the number of the unit is given when it is written. */
  readonly index: number;
  readonly code: string;
  readonly name: string;
  readonly level: UnitLevel;
  /** Index of the unit above; `null`: the province, or below the province that is there already. */
  readonly parent: number | null;
  readonly commune: Commune | null;
}

/** Communes of the province with those of before the reform that went into them. */
export interface HomeCommune extends Commune {
  readonly before: readonly (Commune & { readonly district: string })[];
}

let communes: readonly HomeCommune[] | null = null;

export function homeCommunes(): readonly HomeCommune[] {
  if (communes === null) {
    const before = Map.groupBy(oldCommunesOf(home.province), ({ target }) => target);
    communes = communesOf(home.province).map((commune) => ({ ...commune, before: before.get(commune.code) ?? [] }));
  }
  return communes;
}

function communeAt(index: number): HomeCommune {
  const found = homeCommunes()[index % homeCommunes().length];
  if (found === undefined) throw new Error('The province has no communes.');
  return found;
}

/** "Xã An Lão" → "xã An Lão": as it stands inside a name. */
function inName(commune: Commune): string {
  return commune.name.charAt(0).toLowerCase() + commune.name.slice(1);
}

function bare(commune: Commune): string {
  return commune.name.replace(/^(?:Xã|Phường|Đặc khu) /, '');
}

const station = (index: number, code: string, parent: number, commune: Commune): SyntheticUnit => ({
  index,
  code,
  name: `Trạm Y tế ${inName(commune)}`,
  level: 'STATION',
  parent,
  commune,
});
const centre = (index: number, code: string, parent: number | null, commune: Commune): SyntheticUnit => ({
  index,
  code,
  name: `Trung tâm Y tế khu vực ${bare(commune)}`,
  level: 'CENTRE',
  parent,
  commune,
});

/** Code of facility A, the hospital of the demonstration. */
export const facilityA = '52901';

/** Units of the demonstration, as the contract has them: p, c1 over x11 and x12, c2 over x21, facility A directly under p. */
export function demoUnits(): readonly SyntheticUnit[] {
  return [
    { index: 0, code: 'p', name: 'Sở Y tế tỉnh mẫu', level: 'PROVINCE', parent: null, commune: null },
    centre(1, 'c1', 0, communeAt(0)),
    station(2, 'x11', 1, communeAt(0)),
    station(3, 'x12', 1, communeAt(1)),
    centre(4, 'c2', 0, communeAt(6)),
    station(5, 'x21', 4, communeAt(6)),
    { index: 6, code: facilityA, name: 'Bệnh viện Đa khoa A', level: 'FACILITY', parent: 0, commune: null },
  ];
}

/** Some 700 citizens to a station, a dozen stations to a centre, a hospital to a centre: hundreds of units at 200,000. */
export function largeUnits(seed: number, citizens: number): readonly SyntheticUnit[] {
  const stations = Math.max(1, Math.ceil(citizens / 700));
  const centres = Math.max(1, Math.ceil(stations / 12));
  const units: SyntheticUnit[] = [];
  for (let c = 0; c < centres; c++) {
    const first = Math.floor((c * stations) / centres);
    const end = Math.floor(((c + 1) * stations) / centres);
    const centreIndex = units.length;
    units.push(centre(centreIndex, `g${seed}-c${c + 1}`, null, communeAt(first)));
    for (let s = first; s < end; s++) {
      const commune = communeAt(s);
      const round = Math.floor(s / homeCommunes().length);
      const unit = station(units.length, `g${seed}-x${s + 1}`, centreIndex, commune);
      units.push(round === 0 ? unit : { ...unit, name: `Điểm trạm số ${round + 1}, ${inName(commune)}` });
    }
    units.push({
      index: units.length,
      code: facilityCode(c),
      name: `Bệnh viện Đa khoa khu vực ${bare(communeAt(first))}`,
      level: 'FACILITY',
      parent: centreIndex,
      commune: null,
    });
  }
  return units;
}

/** Codes of hospitals outside the demonstration: old province 64, then 52. */
export function facilityCode(index: number): string {
  return index < 900 ? `64${String(100 + index)}` : `52${String(100 + ((index - 900) % 800))}`;
}
