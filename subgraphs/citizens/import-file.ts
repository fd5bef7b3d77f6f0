import type { Headings, TableRow } from '#kernel/csv-table.ts';
import { parseEmail, parsePhone, type Email, type Phone } from '#kernel/domain/contact.ts';
import { parseEthnicity } from '#kernel/domain/ethnic-groups.ts';
import { parseGender, type Gender } from '#kernel/domain/gender.ts';
import { holdsMask } from '#kernel/domain/masking.ts';
import { parsePersonName, type PersonName } from '#kernel/domain/person-name.ts';
import {
  parseOldIdNumber,
  parsePersonalId,
  contradictionsOf,
  readPersonalId,
  type OldIdNumber,
  type PersonalId,
} from '#kernel/domain/personal-id.ts';
import { parseBirthDate, yearOf, type PlainDate, type PlainDay } from '#kernel/domain/plain-date.ts';
import type { Parsed } from '#kernel/domain/brand.ts';
import type { Reason } from '#kernel/errors/catalogue.ts';
import { currentPlace, listsWith, type CurrentPlace, type PlaceList } from '#kernel/places/index.ts';
import { ok, refused, type Result } from '#kernel/result.ts';

/*
 * One row of a facility's file → a citizen, or every reason why not. Pure: nothing is known here of who is already in the hub.
 */

export const importColumns = [
  'personal_id',
  'old_id_number',
  'full_name',
  'date_of_birth',
  'gender',
  'ethnicity',
  'phone',
  'email',
  'birthplace',
  'native_place',
  'permanent_address',
  'permanent_commune',
  'current_address',
  'current_commune',
  'commune_list',
  'unit_code',
  'source_key',
] as const;
export type ImportColumn = (typeof importColumns)[number];

/** Names of the columns in the ministry's forms and in the XML tables, beside ours. */
export const importHeadings: Headings<ImportColumn> = {
  required: ['full_name', 'date_of_birth', 'gender', 'unit_code'],
  names: {
    personal_id: [
      'Số định danh cá nhân',
      'Số định danh',
      'Mã định danh cá nhân',
      'Mã định danh y tế',
      'Số CCCD',
      'CCCD',
      'Số căn cước',
      'Số căn cước công dân',
      'Số CMT/CCCD (12 số)',
      'Số CCCD/định danh cá nhân',
      'SO_CCCD',
      'Số ĐDCN',
    ],
    old_id_number: ['Số CMND', 'CMND', 'Số CMT', 'Số CMT (9 số)', 'Số chứng minh nhân dân', 'SO_CMND'],
    full_name: ['Họ và tên', 'Họ tên', 'Họ, chữ đệm và tên', 'Họ, chữ đệm và tên khai sinh', 'Họ tên người bệnh', 'HO_TEN'],
    date_of_birth: ['Ngày sinh', 'Ngày, tháng, năm sinh', 'Ngày tháng năm sinh', 'Năm sinh', 'NGAY_SINH'],
    gender: ['Giới tính', 'GIOI_TINH', 'Nam/Nữ'],
    ethnicity: ['Dân tộc', 'Mã dân tộc', 'MA_DANTOC'],
    phone: ['Số điện thoại', 'Điện thoại', 'SĐT', 'Điện thoại liên hệ', 'DIEN_THOAI'],
    email: ['E-mail', 'Thư điện tử', 'Địa chỉ email', 'Địa chỉ thư điện tử'],
    birthplace: ['Nơi sinh', 'Nơi đăng ký khai sinh'],
    native_place: ['Quê quán', 'Nguyên quán'],
    permanent_address: ['Nơi thường trú', 'Địa chỉ thường trú', 'Hộ khẩu thường trú', 'Nơi đăng ký thường trú'],
    permanent_commune: ['Mã xã thường trú', 'Mã phường xã thường trú', 'Mã xã/phường thường trú'],
    current_address: ['Nơi ở hiện tại', 'Nơi ở hiện nay', 'Địa chỉ hiện tại', 'Chỗ ở hiện nay', 'Nơi tạm trú', 'DIA_CHI'],
    current_commune: ['Mã xã hiện tại', 'Mã xã nơi ở hiện tại', 'Mã xã/phường hiện tại', 'MAXA_CU_TRU'],
    commune_list: ['Danh mục xã', 'Phiên bản danh mục xã'],
    unit_code: ['Mã đơn vị', 'Mã trạm', 'Mã trạm y tế', 'Mã đơn vị quản lý'],
    source_key: ['Mã nguồn', 'Khóa nguồn', 'Mã hồ sơ', 'Mã bệnh nhân', 'MA_BN'],
  },
};

/** A place as the file gives it: text, code, or both. */
export interface ImportedAddress {
  readonly text: string | null;
  readonly code: string | null;
  readonly list: PlaceList | null;
  readonly current: CurrentPlace | null;
}

/** What one row states; `null` is "not stated". */
export interface ImportedCitizen {
  readonly line: number;
  readonly personalId: PersonalId | null;
  readonly oldIdNumber: OldIdNumber | null;
  readonly fullName: PersonName;
  readonly dateOfBirth: PlainDate;
  readonly gender: Gender;
  readonly ethnicity: string | null;
  readonly phone: Phone | null;
  readonly email: Email | null;
  readonly birthplace: string | null;
  readonly nativePlace: string | null;
  readonly permanent: ImportedAddress;
  readonly current: ImportedAddress;
  readonly unitCode: string;
  readonly sourceKey: string | null;
}

/** What is wrong with one cell; `field` is the column, null for the row as a whole. Never holds a value. */
interface RowProblem {
  readonly field: ImportColumn | null;
  readonly reason: Reason;
}

export interface RefusedRow {
  readonly line: number;
  /** At least one, in the order of the columns. */
  readonly problems: readonly [RowProblem, ...RowProblem[]];
}

/** What was decided for the whole file: which list its commune codes are from, where no row says so itself. */
export interface FileDecisions {
  readonly communeList: PlaceList;
}

/**
 * The list that knows more of the file's codes; the one in force when both know as many. A code that stands in both lists may name
 * two different places, so this is said in the report.
 */
export function decideFile(rows: readonly TableRow<ImportColumn>[]): FileDecisions {
  const known = { '2024': 0, '2025': 0 };
  for (const { cells } of rows) {
    if (cells === null || cells.commune_list !== undefined) continue;
    for (const code of [cells.permanent_commune, cells.current_commune]) {
      if (code !== undefined) for (const list of listsWith(code)) known[list] += 1;
    }
  }
  return { communeList: known['2024'] > known['2025'] ? '2024' : '2025' };
}

export function parseRow(
  row: TableRow<ImportColumn>,
  decisions: FileDecisions,
  today: PlainDay,
): Result<ImportedCitizen, RefusedRow> {
  const { line, cells } = row;
  if (cells === null) return refused({ line, problems: [{ field: null, reason: 'ROW_CELLS' }] });
  const problems: RowProblem[] = [];
  const stated = <T>(field: ImportColumn, read: (text: string) => Parsed<T, Reason>): T | null => {
    const text = cells[field];
    if (text === undefined) return null;
    const parsed = read(text);
    if (parsed.ok) return parsed.value;
    problems.push({ field, reason: parsed.reason });
    return null;
  };
  const needed = <T>(field: ImportColumn, read: (text: string) => Parsed<T, Reason>): T | null => {
    if (cells[field] === undefined) problems.push({ field, reason: 'ROW_REQUIRED' });
    return stated(field, read);
  };
  const personalId = stated('personal_id', parsePersonalId);
  const oldIdNumber = stated('old_id_number', parseOldIdNumber);
  const fullName = needed('full_name', parsePersonName);
  const dateOfBirth = needed('date_of_birth', (text) => parseBirthDate(text, today));
  const gender = needed('gender', parseGender);
  const ethnicity = stated('ethnicity', parseEthnicity);
  const phone = stated('phone', parsePhone);
  const email = stated('email', parseEmail);
  const birthplace = stated('birthplace', parseText);
  const nativePlace = stated('native_place', parseText);
  const permanentText = stated('permanent_address', parseText);
  const permanentCode = stated('permanent_commune', parseCommune);
  const currentText = stated('current_address', parseText);
  const currentCode = stated('current_commune', parseCommune);
  const list = stated('commune_list', parseList) ?? decisions.communeList;
  const unitCode = needed('unit_code', parseText);
  const sourceKey = stated('source_key', parseText);
  const [first, ...more] = problems;
  if (first !== undefined) return refused({ line, problems: [first, ...more] });
  if (fullName === null || dateOfBirth === null || gender === null || unitCode === null) {
    throw new Error('A required cell that was neither stated nor refused.');
  }
  return ok({
    line,
    personalId,
    oldIdNumber,
    fullName,
    dateOfBirth,
    gender,
    ethnicity,
    phone,
    email,
    birthplace,
    nativePlace,
    permanent: address(permanentText, permanentCode, list),
    current: address(currentText, currentCode, list),
    unitCode,
    sourceKey,
  });
}

function address(text: string | null, code: string | null, list: PlaceList): ImportedAddress {
  return { text, code, list: code === null ? null : list, current: code === null ? null : currentPlace(code, list) };
}

const longestText = 500;

function parseText(text: string): Parsed<string, 'TEXT_LENGTH' | 'MASKED_VALUE'> {
  if (holdsMask(text)) return { ok: false, reason: 'MASKED_VALUE' };
  const value = text.normalize('NFC');
  return value.length > longestText ? { ok: false, reason: 'TEXT_LENGTH' } : { ok: true, value };
}

/** The form only: a code that no list knows is kept, with what it means today unknown. */
export function parseCommune(text: string): Parsed<string, 'COMMUNE_CODE_FORMAT'> {
  return /^[0-9]{5}$/.test(text) ? { ok: true, value: text } : { ok: false, reason: 'COMMUNE_CODE_FORMAT' };
}

function parseList(text: string): Parsed<PlaceList, 'COMMUNE_LIST'> {
  const list = (['2024', '2025'] as const).find((known) => known === text);
  return list === undefined ? { ok: false, reason: 'COMMUNE_LIST' } : { ok: true, value: list };
}

export const identityInconsistent = 'IDENTITY_INCONSISTENT';
export const placeCodeUnknown = 'PLACE_CODE_UNKNOWN';
export const unmatchedImport = 'UNMATCHED_IMPORT';

/** Grounds for a second look, never for a refusal: the digits of the number against what else is stated. */
export function flagsOf({
  personalId,
  gender,
  dateOfBirth,
}: {
  readonly personalId: PersonalId | null;
  readonly gender: Gender | null;
  readonly dateOfBirth: PlainDate | null;
}): readonly string[] {
  if (personalId === null) return [];
  const flags: string[] = [];
  if (readPersonalId(personalId).province === null) flags.push(placeCodeUnknown);
  if (contradictionsOf(personalId, { gender, birthYear: dateOfBirth === null ? null : yearOf(dateOfBirth) }).length > 0)
    flags.push(identityInconsistent);
  return flags;
}
