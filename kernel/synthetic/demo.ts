import type { CitizenId } from '../domain/ids.ts';
import { issuerOf, type InsuranceCardNumber } from '../domain/insurance-card-number.ts';
import type { PersonName } from '../domain/person-name.ts';
import type { OldIdNumber, PersonalId } from '../domain/personal-id.ts';
import { addDays, type PlainDate } from '../domain/plain-date.ts';
import { communeOf, confirmableIn, syntheticId, type SyntheticCitizen, type WorldPlan } from './citizen.ts';
import { defects } from './defects.ts';
import type { Facts, SyntheticAddress } from './facts.ts';
import type { CardStatus, SyntheticCard } from './records.ts';
import { facilityA, facilityCode, home, type SyntheticUnit } from './units.ts';

/** An, Bình and Chi: citizens 0, 1 and 2 of the demonstration, exactly as the contract has them. */
export function fixedCitizens(plan: WorldPlan): readonly SyntheticCitizen[] {
  return [an(plan), binh(plan), chi(plan)];
}

function stationOf({ stations }: WorldPlan, code: string): SyntheticUnit {
  const found = stations.find((station) => station.code === code);
  if (found === undefined) throw new Error(`The demonstration has no station ${code}.`);
  return found;
}

function addressAt(station: SyntheticUnit, detail: string): SyntheticAddress {
  const commune = communeOf(station);
  return { text: `${detail}, ${commune.name}, ${home.name}`, code: commune.code, list: '2025' };
}

function card(plan: WorldPlan, number: string, from: number, to: number | null, status: CardStatus): SyntheticCard {
  return {
    number: number as InsuranceCardNumber,
    validFrom: addDays(plan.baseDay, from),
    validTo: to === null ? null : addDays(plan.baseDay, to),
    status,
    issuer: issuerOf(number as InsuranceCardNumber),
    registeredFacility: facilityA,
    checkedOn: status === 'ACTIVE' ? addDays(plan.baseDay, -12) : null,
  };
}

function common(plan: WorldPlan, index: number, station: SyntheticUnit, ours: Facts) {
  return {
    index,
    id: syntheticId(plan, 'citizen', index) as CitizenId,
    station,
    lifeStatus: 'ACTIVE',
    ours,
    theirs: ours,
    confirmed: [],
    confirmedOn: null,
    formerNumber: null,
    defect: null,
    defectIsOpen: false,
    registeredOn: addDays(plan.baseDay, -500),
    cards: [],
    results: [],
    referrals: [],
    reexaminations: [],
  } as const satisfies SyntheticCitizen;
}

function an(plan: WorldPlan): SyntheticCitizen {
  const { baseDay } = plan;
  const station = stationOf(plan, 'x11');
  const personalId = '038090000001' as PersonalId;
  const permanent = addressAt(station, 'Tổ 5');
  const ours: Facts = {
    personalId,
    oldIdNumber: '171900001' as OldIdNumber,
    fullName: 'Nguyễn Văn An' as PersonName,
    dateOfBirth: '1990-03-15' as PlainDate,
    gender: 'MALE',
    ethnicity: '01',
    phone: '0912000001',
    email: 'an.nguyen@example.com',
    birthplace: 'Thanh Hoá',
    nativePlace: 'Thanh Hoá',
    permanent,
    current: permanent,
  };
  const result = {
    kind: 'ELECTRONIC_ORIGINAL',
    issuingAgency: 'Ủy ban nhân dân',
    validTo: null,
    state: 'IN_FORCE',
  } as const;
  return {
    ...common(plan, 0, station, ours),
    confirmed: confirmableIn(ours),
    confirmedOn: addDays(baseDay, -120),
    cards: [card(plan, 'DN4385200000001', -900, -301, 'EXPIRED'), card(plan, 'DN4525200000001', -300, null, 'ACTIVE')],
    results: [
      {
        ...result,
        code: `${personalId}.KQ.G15.000031.1990`,
        name: 'Giấy khai sinh',
        issuedOn: addDays(baseDay, -700),
        excerpt: 'Giấy khai sinh, bản điện tử',
        useCount: 2,
      },
      {
        ...result,
        code: `${personalId}.KQ.G15.000032.2017`,
        name: 'Giấy chứng nhận kết hôn',
        issuedOn: addDays(baseDay, -400),
        excerpt: null,
        useCount: 0,
      },
    ],
    referrals: [
      {
        number: '117/GCT',
        origin: 'ENTERED',
        status: 'ISSUED',
        issuedOn: addDays(baseDay, -3),
        validTo: addDays(baseDay, 11),
        fromFacility: facilityA,
        toFacility: facilityCode(0),
        reason: 'Cơ sở không đáp ứng được yêu cầu chuyên môn',
      },
    ],
    reexaminations: [
      {
        number: '233/HKL',
        origin: 'SIGNED',
        status: 'ISSUED',
        issuedOn: addDays(baseDay, -10),
        appointmentOn: addDays(baseDay, 18),
        facility: facilityA,
      },
    ],
  };
}

function binh(plan: WorldPlan): SyntheticCitizen {
  const station = stationOf(plan, 'x12');
  const permanent = addressAt(station, 'Tổ 12');
  const ours: Facts = {
    personalId: '038085000002' as PersonalId,
    oldIdNumber: null,
    fullName: 'Trần Thanh Bình' as PersonName,
    dateOfBirth: '1985' as PlainDate,
    gender: 'MALE',
    ethnicity: '01',
    phone: '0912000002',
    email: null,
    birthplace: 'Thanh Hoá',
    nativePlace: null,
    permanent,
    current: null,
  };
  return {
    ...common(plan, 1, station, ours),
    defect: defects.overlap,
    defectIsOpen: true,
    cards: [card(plan, 'GD4525200000002', -200, 165, 'ACTIVE'), card(plan, 'DN4525200000002', -60, 305, 'ACTIVE')],
  };
}

/** Day and month changed places when she was registered; the difference has been found and nobody has settled it. */
function chi(plan: WorldPlan): SyntheticCitizen {
  const station = stationOf(plan, 'x21');
  const permanent = addressAt(station, 'Thôn 2');
  const ours: Facts = {
    personalId: '038192000003' as PersonalId,
    oldIdNumber: null,
    fullName: 'Lê Thị Chi' as PersonName,
    dateOfBirth: '1992-11-02' as PlainDate,
    gender: 'FEMALE',
    ethnicity: '01',
    phone: '0912000003',
    email: null,
    birthplace: 'Thanh Hoá',
    nativePlace: 'Thanh Hoá',
    permanent,
    current: permanent,
  };
  return {
    ...common(plan, 2, station, ours),
    theirs: { ...ours, dateOfBirth: '1992-02-11' as PlainDate },
    defect: defects.birth,
    defectIsOpen: true,
  };
}
