import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { citizenFields, fieldBits } from '#kernel/domain/citizen-field.ts';
import type { PlainDay } from '#kernel/domain/plain-date.ts';
import type { PersonName } from '#kernel/domain/person-name.ts';
import { parseRow, type ImportColumn, type ImportedCitizen } from './import-file.ts';
import {
  after,
  blank,
  compare,
  identify,
  introduce,
  statedValues,
  type Candidates,
  type KnownCitizen,
  type ValueName,
} from './import-match.ts';

function row(cells: Partial<Record<ImportColumn, string>> = {}): ImportedCitizen {
  const all = { full_name: 'Nguyễn Văn An', date_of_birth: '1990-03-15', gender: '1', unit_code: 'x11', ...cells };
  const parsed = parseRow({ line: 2, cells: all }, { communeList: '2025' }, '2026-11-24' as PlainDay);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return parsed.value;
}

/** Whoever such a row would have made, some fields confirmed since. */
function known(cells: Partial<Record<ImportColumn, string>> = {}, more: Partial<KnownCitizen> = {}): KnownCitizen {
  const stated = row(cells);
  return { ...after(blank(`id-${String(more.id ?? 1)}`, 4, stated.fullName), introduce(stated, false)), ...more };
}

const nobody: Candidates = { bySourceKey: [], byNumber: [], byName: [] };

test("the sender's own key names the person, whatever else differs", () => {
  const citizen = known({ source_key: 'K1' });
  const stated = row({ source_key: 'K1', full_name: 'Trần Bình', personal_id: '038085000002' });
  expect(identify(stated, { ...nobody, bySourceKey: [citizen] })).toEqual({ kind: 'known', citizen });
});

test('a number names who shares name or birth date; one of another name and birth date is a second holder', () => {
  const personal_id = '038090000001';
  const citizen = known({ personal_id });
  const by = (cells: Partial<Record<ImportColumn, string>>) =>
    identify(row({ personal_id, ...cells }), { ...nobody, byNumber: [citizen] }).kind;
  expect(by({})).toBe('known');
  expect(by({ full_name: 'NGUYEN VAN AN' })).toBe('known');
  expect(by({ full_name: 'Nguyễn Văn Ân', date_of_birth: '1990' })).toBe('known');
  expect(by({ full_name: 'Trần Bình' })).toBe('known');
  expect(by({ date_of_birth: '1991-01-01' })).toBe('known');
  expect(by({ full_name: 'Trần Bình', date_of_birth: '1985' })).toBe('new');
});

test('a number whose place nobody gave out merges nobody by itself [B41]', () => {
  const personal_id = '999090000001';
  const citizen = known({ personal_id });
  const by = (cells: Partial<Record<ImportColumn, string>>) =>
    identify(row({ personal_id, ...cells }), { ...nobody, byNumber: [citizen] }).kind;
  expect(by({})).toBe('known');
  expect(by({ full_name: 'Trần Bình' })).toBe('new');
});

test('whom a sender knows under another key is another person to him', () => {
  const personal_id = '038090000001';
  const other = known({ personal_id, source_key: 'K1' });
  expect(identify(row({ personal_id, source_key: 'K2' }), { ...nobody, byNumber: [other] }).kind).toBe('new');
  expect(identify(row({ personal_id }), { ...nobody, byNumber: [other] }).kind).toBe('known');
});

test('of two holders the one of equal name and birth date is meant; two such are nobody', () => {
  const personal_id = '038090000001';
  const an = known({ personal_id }, { id: '1' });
  const binh = known({ personal_id, full_name: 'Trần Bình', date_of_birth: '1990-03-15' }, { id: '2' });
  expect(identify(row({ personal_id }), { ...nobody, byNumber: [an, binh] })).toEqual({ kind: 'known', citizen: an });
  expect(identify(row({ personal_id }), { ...nobody, byNumber: [an, { ...an, id: '3' }] })).toEqual({ kind: 'ambiguous' });
});

test('without keys exactly one of equal name, birth date, commune and unit is the same; else new and marked', () => {
  const stated = row({ permanent_commune: '23938' });
  const equal = known({ permanent_commune: '23938' });
  const elsewhere = known({ permanent_commune: '00004' });
  const by = (...byName: readonly KnownCitizen[]) => identify(stated, { ...nobody, byName });
  expect(by()).toEqual({ kind: 'new', unmatched: true });
  expect(by(equal)).toEqual({ kind: 'known', citizen: equal });
  expect(by(elsewhere)).toEqual({ kind: 'new', unmatched: true });
  expect(by(equal, elsewhere)).toEqual({ kind: 'known', citizen: equal });
  expect(by(equal, { ...equal, id: '2' })).toEqual({ kind: 'new', unmatched: true });
  const marked = { ...equal, id: '3', flags: ['UNMATCHED_IMPORT'] };
  expect(by(equal, { ...equal, id: '2' }, marked)).toEqual({ kind: 'known', citizen: marked });
});

test('what contradicts nothing is no difference: capitals, a year beside the day, an older number, the old code of a place', () => {
  const citizen = {
    ...known({ personal_id: '038090000001', permanent_commune: '00097' }),
    numbers: ['038090000001', '038090000009'],
    confirmed: fieldBits(citizenFields),
  };
  const outcome = compare(
    row({
      full_name: 'NGUYỄN VĂN AN',
      date_of_birth: '1990',
      personal_id: '038090000009',
      permanent_commune: '00001',
      commune_list: '2024',
    }),
    citizen,
  );
  expect([outcome.changes, outcome.differences]).toEqual([{}, []]);
});

test('a date known better replaces a stated one and contradicts no confirmed one', () => {
  const year = known({ date_of_birth: '1990' });
  expect(compare(row(), year).changes).toEqual({ dateOfBirth: '1990-03-15' });
  expect(compare(row(), { ...year, confirmed: fieldBits(['DATE_OF_BIRTH']) })).toMatchObject({ changes: {}, differences: [] });
});

test('a confirmed address is one fact: a code is not filled in from a file that contradicts the text', () => {
  const citizen = { ...known({ permanent_address: 'Thôn Đông' }), confirmed: fieldBits(['PERMANENT_ADDRESS']) };
  const outcome = compare(row({ permanent_address: 'Thôn Tây', permanent_commune: '23938' }), citizen);
  expect(outcome.changes).toEqual({});
  expect(outcome.differences).toEqual([{ field: 'PERMANENT_ADDRESS', kind: 'DIFFERENT', ours: 'Thôn Đông', theirs: 'Thôn Tây' }]);
});

test('digits that contradict the rest are work once [B42]', () => {
  const stated = row({ personal_id: '038290000001', gender: '2' });
  const first = introduce(stated, false);
  expect(first.differences).toEqual([{ field: 'PERSONAL_ID', kind: 'INCONSISTENT', ours: '038290000001', theirs: null }]);
  const citizen = after(blank('1', 4, stated.fullName), first);
  expect(compare(stated, citizen).differences).toEqual([]);
});

const cells = fc.record(
  {
    personal_id: fc.constantFrom('038090000001', '038085000002', '999090000001', '038290000001'),
    old_id_number: fc.constantFrom('210000001', '210000002'),
    full_name: fc.constantFrom('Nguyễn Văn An', 'NGUYỄN VĂN AN', 'Trần Thị Bình'),
    date_of_birth: fc.constantFrom('1990-03-15', '1990', '03/1990', '1985-01-01'),
    gender: fc.constantFrom('1', '2', '3'),
    ethnicity: fc.constantFrom('01', '12'),
    phone: fc.constantFrom('0912345678', '0987654321'),
    email: fc.constantFrom('a@example.vn', 'b@example.vn'),
    birthplace: fc.constantFrom('Xã A', 'Xã B'),
    native_place: fc.constantFrom('Xã A', 'Xã B'),
    permanent_address: fc.constantFrom('Thôn 1', 'Thôn 2'),
    permanent_commune: fc.constantFrom('00001', '00097', '23938', '99999'),
    current_address: fc.constantFrom('Thôn 1', 'Thôn 2'),
    current_commune: fc.constantFrom('00001', '00097'),
    commune_list: fc.constantFrom('2024', '2025'),
    source_key: fc.constantFrom('K1', 'K2'),
  },
  { requiredKeys: ['full_name', 'date_of_birth', 'gender'] },
);
const anyKnown = fc
  .tuple(cells, fc.integer({ min: 0, max: 1023 }))
  .map(([stated, confirmed]) => ({ ...known(stated), confirmed }));

const fieldsOf: Readonly<Partial<Record<ValueName, (typeof citizenFields)[number]>>> = {
  fullName: 'FULL_NAME',
  oldIdNumber: 'OLD_ID_NUMBER',
  personalId: 'PERSONAL_ID',
  dateOfBirth: 'DATE_OF_BIRTH',
  phone: 'PHONE',
  gender: 'GENDER',
  birthplace: 'BIRTHPLACE',
  email: 'EMAIL',
  nativePlace: 'NATIVE_PLACE',
};

test('a confirmed value is never replaced, an empty cell never erases, and the same row again changes nothing', () => {
  fc.assert(
    fc.property(cells, anyKnown, (stated, citizen) => {
      const said = row(stated);
      const outcome = compare(said, citizen);
      for (const [name, field] of Object.entries(fieldsOf) as [keyof typeof fieldsOf, (typeof citizenFields)[number]][]) {
        const confirmed = (citizen.confirmed & fieldBits([field])) !== 0;
        const ours = { ...statedValues(said), ...citizen }[name];
        if (confirmed && ours !== null) expect(outcome.changes[name]).toBeUndefined();
      }
      const stands = after(citizen, outcome);
      for (const name of Object.keys(outcome.changes) as ValueName[]) expect(statedValues(said)[name]).not.toBeNull();
      for (const [name, value] of Object.entries(statedValues(said)) as [ValueName, string | null][]) {
        if (value === null && name in fieldsOf)
          expect(stands[name as keyof KnownCitizen]).toEqual(citizen[name as keyof KnownCitizen]);
      }
      const again = compare(said, stands);
      expect(again.changes).toEqual({});
      expect(again.sourceKey).toBeNull();
      expect(again.differences.filter(({ kind }) => kind === 'INCONSISTENT')).toEqual([]);
      expect(again.differences.map(({ field }) => field)).toEqual(
        outcome.differences.filter(({ kind }) => kind === 'DIFFERENT').map(({ field }) => field),
      );
    }),
    { numRuns: 2_000 },
  );
});

test('whoever a row made is found by the same row again', () => {
  fc.assert(
    fc.property(cells, (stated) => {
      const said = row(stated);
      const first = identify(said, nobody);
      if (first.kind !== 'new') throw new Error(first.kind);
      const citizen = after(blank('1', 4, 'x' as PersonName), introduce(said, first.unmatched));
      const candidates: Candidates = {
        bySourceKey: said.sourceKey === null ? [] : [citizen],
        byNumber: said.personalId === null ? [] : [citizen],
        byName: [citizen],
      };
      expect(identify(said, candidates)).toEqual({ kind: 'known', citizen });
    }),
  );
});
