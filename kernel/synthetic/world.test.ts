import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseEmail, parsePhone } from '../domain/contact.ts';
import { parseEthnicity } from '../domain/ethnic-groups.ts';
import { parseFacilityCode } from '../domain/facility-code.ts';
import { parseCitizenId } from '../domain/ids.ts';
import { parseInsuranceCardNumber, usualLevel } from '../domain/insurance-card-number.ts';
import { fold, parsePersonName } from '../domain/person-name.ts';
import { contradictionsOf, parseOldIdNumber, parsePersonalId } from '../domain/personal-id.ts';
import { addDays, dayInVietnam, parseBirthDate, yearOf, type PlainDay } from '../domain/plain-date.ts';
import { parseResultCode } from '../domain/result-code.ts';
import { currentPlace } from '../places/index.ts';
import { syntheticCitizen } from './citizen.ts';
import {
  bhxhNumbersOf,
  citizensOf,
  defectsCsv,
  demoWorld,
  largeWorld,
  plantedDefects,
  populationOf,
  type SyntheticCitizen,
  type World,
} from './world.ts';

const baseDay = '2026-11-24' as PlainDay;
const worlds = fc.oneof(
  fc.integer({ min: 0, max: 2 ** 31 - 1 }).map((seed) => demoWorld(seed, baseDay)),
  fc
    .tuple(fc.integer({ min: 0, max: 2 ** 31 - 1 }), fc.integer({ min: 1, max: 800 }), fc.constantFrom(0, 0.02, 0.3))
    .map(([seed, n, dirty]) => largeWorld(seed, n, dirty, baseDay)),
);
const fingerprint = (world: World): string => {
  const hash = createHash('sha256');
  for (const citizen of citizensOf(world)) hash.update(JSON.stringify(citizen));
  return hash.digest('hex');
};

/** What is wrong with a world, found by looking at it, as the hub's own jobs will look: nothing of the plan is used. */
function findings(world: World): readonly string[] {
  const found: string[] = [];
  const holders = new Map<string, SyntheticCitizen>();
  for (const citizen of citizensOf(world)) {
    const { id, ours, theirs } = citizen;
    const add = (kind: string, field: string, foundBy: string) => found.push([id, kind, field, foundBy].join(','));
    const compare = (field: string, mine: string | null, other: string | null) => {
      if (mine === other) return;
      add(mine === null ? 'ONLY_THEIRS' : other === null ? 'ONLY_OURS' : 'DIFFERENT', field, 'reconcile');
    };
    if (theirs !== null) {
      compare('FULL_NAME', fold(ours.fullName), fold(theirs.fullName));
      compare('OLD_ID_NUMBER', ours.oldIdNumber, theirs.oldIdNumber);
      compare('DATE_OF_BIRTH', ours.dateOfBirth, theirs.dateOfBirth);
      compare('GENDER', ours.gender, theirs.gender);
      compare('BIRTHPLACE', ours.birthplace, theirs.birthplace);
      compare('NATIVE_PLACE', ours.nativePlace, theirs.nativePlace);
      const place = ({ code, list }: typeof ours.permanent) => currentPlace(code, list).currentCode;
      compare('PERMANENT_ADDRESS', place(ours.permanent), place(theirs.permanent));
      compare('PERSONAL_ID', ours.personalId, theirs.personalId);
    } else if (ours.personalId !== null) {
      add('UNKNOWN_PERSON', 'PERSONAL_ID', 'reconcile');
    }
    const contradictions =
      ours.personalId === null
        ? []
        : contradictionsOf(ours.personalId, { gender: ours.gender, birthYear: yearOf(ours.dateOfBirth) });
    if (contradictions.length > 0) add('INCONSISTENT', 'PERSONAL_ID', 'import');
    const [one, two] = citizen.cards;
    if (one !== undefined && two !== undefined && (one.validTo ?? '9') >= two.validFrom && (two.validTo ?? '9') >= one.validFrom)
      add('OVERLAP', '', 'cards');
    for (const number of new Set(bhxhNumbersOf(citizen))) {
      if (holders.has(number)) add('DUPLICATE_CARD', '', 'cards');
      holders.set(number, citizen);
    }
  }
  return found;
}

describe('a synthetic world', () => {
  test('same seed, same bytes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 - 1 }), (seed) => {
        expect(fingerprint(demoWorld(seed, baseDay))).toBe(fingerprint(demoWorld(seed, baseDay)));
        expect(fingerprint(demoWorld(seed, baseDay))).not.toBe(fingerprint(demoWorld(seed + 1, baseDay)));
      }),
      { numRuns: 1 },
    );
  });

  test('same seed, same bytes on every machine and in every version', () => {
    expect(fingerprint(demoWorld(7, baseDay))).toBe('284b0125976ddf837e8ae681be6bb94a779075d5b04e420e7bc8a9a1262936a8');
    expect(fingerprint(largeWorld(20261124, 1_000, 0.02, baseDay))).toBe(
      '2c5d78f46a0c458184945270f9f89f0797e953688a93939873a48d4595b59b58',
    );
  });

  test('people and defects do not change with the base day', () => {
    const later = addDays(baseDay, 400);
    expect(defectsCsv(plantedDefects(demoWorld(7, later)))).toBe(defectsCsv(plantedDefects(demoWorld(7, baseDay))));
    for (const index of [0, 1, 2, 3, 500, 1999]) {
      expect(demoWorld(7, later).citizen(index).ours).toEqual(demoWorld(7, baseDay).citizen(index).ours);
    }
  });

  test('a citizen is the same whoever is made before him', () => {
    const { plan } = largeWorld(5, 2_000, 0.02, baseDay);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_999 }), (index) =>
        expect(syntheticCitizen(plan, index)).toEqual(syntheticCitizen(plan, index)),
      ),
      { numRuns: 20 },
    );
  });

  test('planted defects are exactly those listed', () => {
    fc.assert(
      fc.property(worlds, (world) => {
        const listed = defectsCsv(plantedDefects(world)).trimEnd().split('\n').slice(1);
        expect([...findings(world)].sort()).toEqual([...listed].sort());
      }),
      { numRuns: 6 },
    );
  });

  test('the defects of the demonstration show every kind, Chi’s among them and open', () => {
    const world = demoWorld(7, baseDay);
    const planted = plantedDefects(world);
    expect(planted.length).toBeGreaterThan(25);
    expect(planted.length).toBeLessThan(60);
    expect(new Set(planted.map(({ kind }) => kind)).size).toBe(7);
    expect(new Set(planted.map(({ citizenId, field }) => `${citizenId} ${field ?? ''}`)).size).toBe(planted.length);
    expect(defectsCsv(planted)).toMatch(
      /^citizen_id,kind,field,found_by\n(?:[0-9a-f-]{36},[A-Z_]+,[A-Z_]*,(?:reconcile|import|cards)\n)+$/,
    );
    expect(world.citizen(2)).toMatchObject({
      defect: { kind: 'DIFFERENT', field: 'DATE_OF_BIRTH', foundBy: 'RECONCILE' },
      defectIsOpen: true,
    });
  });

  test('the population database knows everyone with a number but those who are planted as unknown', () => {
    const world = demoWorld(7, baseDay);
    const citizens = [...citizensOf(world)];
    const numbered = citizens.filter(({ ours }) => ours.personalId !== null);
    const unknown = citizens.filter(({ defect }) => defect?.kind === 'UNKNOWN_PERSON');
    expect(unknown.length).toBeGreaterThan(0);
    expect([...populationOf(world)]).toHaveLength(numbered.length - unknown.length);
  });

  test('no two citizens share a number, a former number or an id', () => {
    fc.assert(
      fc.property(worlds, (world) => {
        const numbers = [...citizensOf(world)].flatMap(({ id, ours, formerNumber }) =>
          [id, ours.personalId, ours.oldIdNumber, formerNumber].filter((n) => n !== null),
        );
        expect(new Set(numbers).size).toBe(numbers.length);
      }),
      { numRuns: 5 },
    );
  });

  test('numbers stay apart where the free digits begin anew', () => {
    const { plan } = largeWorld(1, 6_000_000, 0.02, baseDay);
    const indices = [0, 1, 2].flatMap((n) => [0, 1, 2, 3, 4, 5].map((round) => n + round * 900_000));
    const numbers = indices.map((index) => syntheticCitizen(plan, index).ours.personalId);
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  test('every value is one that the hub accepts', () => {
    const today = dayInVietnam(new Date('2026-11-24'));
    const same = (parsed: { ok: true; value: string } | { ok: false }, text: string | null): boolean =>
      parsed.ok && parsed.value === text;
    /** Names of the values of one citizen that are refused, or are not kept as they were made. */
    const refused = ({ id, ours, cards, results, referrals, reexaminations }: SyntheticCitizen): readonly string[] => {
      const facts = {
        id: same(parseCitizenId(id), id),
        personalId: ours.personalId === null || same(parsePersonalId(ours.personalId), ours.personalId),
        oldIdNumber: ours.oldIdNumber === null || same(parseOldIdNumber(ours.oldIdNumber), ours.oldIdNumber),
        fullName: same(parsePersonName(ours.fullName), ours.fullName),
        dateOfBirth: same(parseBirthDate(ours.dateOfBirth, today), ours.dateOfBirth),
        phone: ours.phone === null || same(parsePhone(ours.phone), ours.phone),
        email: ours.email === null || same(parseEmail(ours.email), ours.email),
        ethnicity: same(parseEthnicity(ours.ethnicity), ours.ethnicity),
        permanent: currentPlace(ours.permanent.code, ours.permanent.list).confidence !== 'UNKNOWN',
        cards: cards.every(
          ({ number, issuer, validFrom, validTo, registeredFacility }) =>
            same(parseInsuranceCardNumber(number, { issuer }), number) &&
            usualLevel(number) === Number(number.charAt(2)) &&
            (validTo === null || validFrom <= validTo) &&
            same(parseFacilityCode(registeredFacility), registeredFacility),
        ),
        results: results.every(({ code }) => same(parseResultCode(code), code) && code.startsWith(`${ours.personalId ?? ''}.`)),
        referrals: referrals.every((slip) => slip.issuedOn <= slip.validTo && slip.fromFacility !== slip.toFacility),
        reexaminations: reexaminations.every((slip) => slip.issuedOn < slip.appointmentOn),
      };
      return Object.entries(facts).flatMap(([name, accepted]) => (accepted ? [] : [name]));
    };
    fc.assert(
      fc.property(worlds, (world) => {
        const citizens = [...citizensOf(world)];
        expect(citizens.flatMap(refused)).toEqual([]);
        const ids = citizens.map(({ id }) => id);
        expect([...ids].sort()).toEqual(ids);
      }),
      { numRuns: 6 },
    );
  });

  test('An, Bình and Chi are those of the contract', () => {
    const world = demoWorld(7, baseDay);
    const [an, binh, chi] = [world.citizen(0), world.citizen(1), world.citizen(2)];
    expect(an).toMatchObject({
      station: { code: 'x11' },
      ours: { personalId: '038090000001', fullName: 'Nguyễn Văn An', dateOfBirth: '1990-03-15', gender: 'MALE' },
    });
    expect(an.cards.map(({ status, validTo }) => [status, validTo === null])).toEqual([
      ['EXPIRED', false],
      ['ACTIVE', true],
    ]);
    expect([an.results.length, an.referrals.length, an.reexaminations.length]).toEqual([2, 1, 1]);
    expect(binh).toMatchObject({
      station: { code: 'x12' },
      ours: { personalId: '038085000002', fullName: 'Trần Thanh Bình', dateOfBirth: '1985', gender: 'MALE' },
    });
    expect(binh.cards).toHaveLength(2);
    expect(chi).toMatchObject({
      station: { code: 'x21' },
      cards: [],
      ours: { personalId: '038192000003', fullName: 'Lê Thị Chi', dateOfBirth: '1992-11-02', gender: 'FEMALE' },
    });
  });

  test('has one card, three results and two slips per citizen on average, cards of every status, hundreds of units at 200,000', () => {
    const sample = [...citizensOf(largeWorld(3, 4_000, 0.02, baseDay))];
    const average = (count: (citizen: SyntheticCitizen) => number): number =>
      sample.reduce((sum, citizen) => sum + count(citizen), 0) / sample.length;
    expect(average(({ cards }) => cards.length)).toBeCloseTo(1, 1);
    expect(Math.abs(average(({ results }) => results.length) - 3)).toBeLessThan(0.2);
    expect(Math.abs(average(({ referrals, reexaminations }) => referrals.length + reexaminations.length) - 2)).toBeLessThan(0.2);
    expect(new Set(sample.flatMap(({ cards }) => cards.map(({ status }) => status))).size).toBe(9);
    const units = largeWorld(3, 200_000, 0.02, baseDay).units;
    expect(units.length).toBeGreaterThan(300);
    expect(new Set(units.map(({ code }) => code)).size).toBe(units.length);
  });
});
