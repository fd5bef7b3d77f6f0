import { cardObjectCodes } from '../domain/card-object-codes.ts';
import { issuerOf, type BhxhNumber, type CardIssuer, type InsuranceCardNumber } from '../domain/insurance-card-number.ts';
import { addDays, yearOf, type PlainDate, type PlainDay } from '../domain/plain-date.ts';
import type { Facts } from './facts.ts';
import type { Random } from './random.ts';
import { facilityCode } from './units.ts';

export type CardStatus =
  'UNVERIFIED' | 'ACTIVE' | 'PENDING' | 'REPLACED' | 'EXPIRED' | 'RECALLED' | 'STOPPED' | 'NEEDS_REVIEW' | 'WITHDRAWN';
type SlipStatus = 'ISSUED' | 'SHOWN' | 'ACCEPTED' | 'USED' | 'EXPIRED' | 'CANCELLED' | 'REPLACED' | 'WITHDRAWN';

export interface SyntheticCard {
  readonly number: InsuranceCardNumber;
  readonly validFrom: PlainDay;
  readonly validTo: PlainDay | null;
  readonly status: CardStatus;
  readonly issuer: CardIssuer;
  readonly registeredFacility: string;
  readonly checkedOn: PlainDay | null;
}

export interface SyntheticResult {
  readonly code: string;
  readonly name: string;
  readonly kind: 'ELECTRONIC_ORIGINAL' | 'DIGITIZED_PAPER' | 'CERTIFIED_COPY';
  readonly issuingAgency: string;
  readonly issuedOn: PlainDay;
  readonly validTo: PlainDay | null;
  readonly excerpt: string | null;
  readonly state: 'IN_FORCE' | 'REPLACED' | 'REVOKED' | 'EXPIRED' | 'WITHDRAWN';
  readonly useCount: number;
}

/** SIGNED: with the bytes that the hospital signed. ENTERED: typed by a clerk from paper. */
export type SlipOrigin = 'SIGNED' | 'ENTERED';

export interface SyntheticReferral {
  readonly number: string;
  readonly origin: SlipOrigin;
  readonly status: SlipStatus;
  readonly issuedOn: PlainDay;
  readonly validTo: PlainDay;
  readonly fromFacility: string;
  readonly toFacility: string;
  readonly reason: string;
}

export interface SyntheticReexamination {
  readonly number: string;
  readonly origin: SlipOrigin;
  readonly status: SlipStatus;
  readonly issuedOn: PlainDay;
  readonly appointmentOn: PlainDay;
  readonly facility: string;
}

/** Today in the synthetic province: every date of a record is counted from it. */
export interface RecordsOf {
  readonly facts: Facts;
  readonly bhxh: BhxhNumber;
  readonly baseDay: PlainDay;
  /** Codes of the hospitals that are units of the hub. */
  readonly facilities: readonly string[];
}

/** People are as old as they are in this year, whatever the base day: their facts must not change with it. */
const referenceYear = 2026;

function objectCode(random: Random, born: PlainDate): string {
  const age = referenceYear - yearOf(born);
  if (age < 6) return 'TE';
  if (age < 18)
    return random.weighted([
      ['HS', 88],
      ['HN', 6],
      ['CN', 6],
    ]);
  if (age < 23)
    return random.weighted([
      ['SV', 60],
      ['DN', 25],
      ['GD', 15],
    ]);
  if (age > 79)
    return random.weighted([
      ['CT', 40],
      ['HT', 40],
      ['BT', 10],
      ['CK', 10],
    ]);
  if (age > 59)
    return random.weighted([
      ['HT', 55],
      ['GD', 25],
      ['CB', 6],
      ['HN', 6],
      ['BT', 8],
    ]);
  return random.weighted([
    ['DN', 38],
    ['GD', 34],
    ['HC', 8],
    ['HX', 3],
    ['DT', 6],
    ['HN', 3],
    ['CN', 3],
    ['QN', 2],
    ['CA', 1],
    ['TN', 2],
  ]);
}

function cardNumber(random: Random, { facts, bhxh }: RecordsOf): InsuranceCardNumber {
  const object = objectCode(random, facts.dateOfBirth);
  const level = cardObjectCodes[object]?.usualLevel ?? 4;
  const place = object === 'QN' ? '97' : object === 'CA' ? '98' : random.chance(0.75) ? '52' : '64';
  return `${object}${level}${place}${bhxh}` as InsuranceCardNumber;
}

const otherHospitals = Array.from({ length: 12 }, (_, i) => facilityCode(i));

function someFacility(random: Random, { facilities }: RecordsOf): string {
  return random.chance(0.7) ? random.pick(facilities) : random.pick(otherHospitals);
}

/** Cards of one citizen, no two of which overlap; on average one. `least`: how many he must have at least. */
export function someCards(random: Random, of: RecordsOf, least: number): readonly SyntheticCard[] {
  const count = Math.max(
    least,
    random.weighted([
      [0, 12],
      [1, 76],
      [2, 12],
    ]),
  );
  if (count === 0) return [];
  const { baseDay } = of;
  const number = cardNumber(random, of);
  const common = { issuer: issuerOf(number), registeredFacility: someFacility(random, of) };
  const drawn = random.weighted<CardStatus>([
    ['ACTIVE', 76],
    ['UNVERIFIED', 8],
    ['EXPIRED', 5],
    ['STOPPED', 3],
    ['RECALLED', 2],
    ['NEEDS_REVIEW', 2],
    ['REPLACED', 2],
    ['PENDING', 1],
    ['WITHDRAWN', 1],
  ]);
  const status = drawn === 'WITHDRAWN' && least > 0 ? 'ACTIVE' : drawn;
  const age = random.between(30, 300);
  const [from, to] =
    status === 'PENDING' ? [20, 385] : status === 'EXPIRED' || status === 'REPLACED' ? [-700 - age, -age] : [-age, 365 - age];
  const open = status === 'ACTIVE' && random.chance(0.3);
  const present: SyntheticCard = {
    ...common,
    number,
    validFrom: addDays(baseDay, from),
    validTo: open ? null : addDays(baseDay, to),
    status,
    checkedOn: status === 'UNVERIFIED' || status === 'WITHDRAWN' ? null : addDays(baseDay, -random.between(1, Math.min(29, age))),
  };
  if (count === 1) return [present];
  const length = random.between(200, 900);
  const before: SyntheticCard = {
    ...common,
    number: random.chance(0.5) ? number : cardNumber(random, of),
    validFrom: addDays(present.validFrom, -length),
    validTo: addDays(present.validFrom, -1),
    status: random.chance(0.7) ? 'EXPIRED' : 'REPLACED',
    checkedOn: null,
  };
  return [{ ...before, issuer: issuerOf(before.number) }, present];
}

/** A card beside the given one, both in force for some months: what the check of cards must find. */
export function overlappingCard(random: Random, of: RecordsOf, other: SyntheticCard): SyntheticCard {
  const number = cardNumber(random, of);
  return {
    number,
    validFrom: addDays(other.validFrom, -random.between(100, 200)),
    validTo: addDays(other.validFrom, random.between(20, 29)),
    status: 'ACTIVE',
    issuer: issuerOf(number),
    registeredFacility: someFacility(random, of),
    checkedOn: null,
  };
}

const papers = [
  { type: 'KQ.G15.000031', name: 'Giấy khai sinh', agency: 'Ủy ban nhân dân', from: 0, share: 40 },
  { type: 'KQ.G15.000038', name: 'Giấy xác nhận tình trạng hôn nhân', agency: 'Ủy ban nhân dân', from: 18, share: 25 },
  { type: 'KQ.G15.000032', name: 'Giấy chứng nhận kết hôn', agency: 'Ủy ban nhân dân', from: 20, share: 20 },
  { type: 'KQ.G15.000008', name: 'Phiếu lý lịch tư pháp số 2', agency: 'Sở Tư pháp', from: 18, share: 10 },
  { type: 'KQ.G18.000010', name: 'Chứng chỉ hành nghề dược', agency: 'Sở Y tế', from: 22, share: 5 },
] as const;

/** Digitized results of one citizen, on average three; their code begins with his number, so without one he has none. */
export function someResults(random: Random, { facts, baseDay }: RecordsOf): readonly SyntheticResult[] {
  const { personalId } = facts;
  if (personalId === null) return [];
  const count = random.weighted([
    [0, 5],
    [1, 10],
    [2, 20],
    [3, 30],
    [4, 20],
    [5, 10],
    [6, 5],
  ]);
  const age = referenceYear - yearOf(facts.dateOfBirth);
  const possible = papers.filter(({ from }) => age >= from).map((paper) => [paper, paper.share] as const);
  return Array.from({ length: count }, () => {
    const paper = random.weighted(possible);
    const issuedOn = addDays(baseDay, -random.between(10, 1_600));
    return {
      code: `${personalId}.${paper.type}.${random.between(1, 99_999)}`,
      name: paper.name,
      kind: random.weighted([
        ['ELECTRONIC_ORIGINAL', 50],
        ['DIGITIZED_PAPER', 35],
        ['CERTIFIED_COPY', 15],
      ] as const),
      issuingAgency: paper.agency,
      issuedOn,
      validTo: paper.type === 'KQ.G15.000038' ? addDays(issuedOn, 180) : null,
      excerpt: random.chance(0.3) ? `${paper.name}, bản điện tử` : null,
      state: random.weighted([
        ['IN_FORCE', 92],
        ['REPLACED', 3],
        ['EXPIRED', 3],
        ['REVOKED', 1],
        ['WITHDRAWN', 1],
      ] as const),
      useCount: random.weighted([
        [0, 60],
        [1, 20],
        [2, 12],
        [3, 5],
        [7, 3],
      ]),
    };
  });
}

const reasons = [
  'Đủ điều kiện chuyển cơ sở khám bệnh, chữa bệnh theo quy định',
  'Cơ sở không đáp ứng được yêu cầu chuyên môn',
  'Theo yêu cầu của người bệnh hoặc người đại diện',
] as const;

/** Where a slip stands: what has run out is used or expired, what still runs is on its way. */
function slipStatus(random: Random, over: boolean): SlipStatus {
  if (random.chance(0.06)) return random.pick(['CANCELLED', 'REPLACED', 'WITHDRAWN'] as const);
  return over
    ? random.weighted([
        ['USED', 70],
        ['EXPIRED', 30],
      ] as const)
    : random.weighted([
        ['ISSUED', 40],
        ['SHOWN', 30],
        ['ACCEPTED', 20],
        ['USED', 10],
      ] as const);
}

/** Hospitals that are units of the hub sign some of what they issue; paper, and what others issue, is typed. */
function slipOrigin(random: Random, { facilities }: RecordsOf, issuer: string): SlipOrigin {
  return random.chance(0.3) && facilities.includes(issuer) ? 'SIGNED' : 'ENTERED';
}

export function someReferrals(random: Random, of: RecordsOf): readonly SyntheticReferral[] {
  const count = random.weighted([
    [0, 35],
    [1, 40],
    [2, 17],
    [3, 8],
  ]);
  return Array.from({ length: count }, () => {
    const issuedOn = addDays(of.baseDay, -random.between(0, 700));
    const validTo = addDays(issuedOn, random.chance(0.1) ? 365 : 14);
    const fromFacility = someFacility(random, of);
    const toFacility = random.pick(otherHospitals.filter((code) => code !== fromFacility));
    return {
      number: `${random.between(1, 9_999)}/${issuedOn.slice(0, 4)}/GCT`,
      status: slipStatus(random, validTo < of.baseDay),
      issuedOn,
      validTo,
      fromFacility,
      toFacility,
      reason: random.pick(reasons),
      origin: slipOrigin(random, of, fromFacility),
    };
  });
}

export function someReexaminations(random: Random, of: RecordsOf): readonly SyntheticReexamination[] {
  const count = random.weighted([
    [0, 35],
    [1, 40],
    [2, 17],
    [3, 8],
  ]);
  return Array.from({ length: count }, () => {
    const issuedOn = addDays(of.baseDay, -random.between(0, 700));
    const appointmentOn = addDays(issuedOn, random.pick([7, 14, 28, 30, 60, 90]));
    const facility = someFacility(random, of);
    return {
      number: `${random.between(1, 9_999)}/${issuedOn.slice(0, 4)}/HKL`,
      status: slipStatus(random, appointmentOn < of.baseDay),
      issuedOn,
      appointmentOn,
      facility,
      origin: slipOrigin(random, of, facility),
    };
  });
}
