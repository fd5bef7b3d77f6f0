import type { Headings, TableRow } from '#kernel/csv-table.ts';
import type { Parsed } from '#kernel/domain/brand.ts';
import { parseFacilityCode } from '#kernel/domain/facility-code.ts';
import {
  issuerOf,
  parseBhxhNumber,
  parseInsuranceCardNumber,
  type InsuranceCardNumber,
} from '#kernel/domain/insurance-card-number.ts';
import { fold, parsePersonName } from '#kernel/domain/person-name.ts';
import { parsePersonalId } from '#kernel/domain/personal-id.ts';
import { parseBirthDate, parsePlainDay, type PlainDay } from '#kernel/domain/plain-date.ts';
import type { ImportKind, RowOutcome } from '#kernel/imports/import-kind.ts';
import { importRecords, type RecordRow, type RecordTable } from '#kernel/imports/record-rows.ts';
import { cellReader } from '#kernel/imports/row-cells.ts';
import type { Result } from '#kernel/result.ts';
import type { CardIssuer } from './card.entity.ts';

/* A file of insurance cards. */

type CardColumn =
  'number' | 'personal_id' | 'full_name' | 'date_of_birth' | 'valid_from' | 'valid_to' | 'registered_facility' | 'issuer';
type CardField = 'number' | 'validFrom' | 'validTo' | 'registeredFacility' | 'issuer' | 'holderName' | 'holderBorn';

const headings: Headings<CardColumn> = {
  required: ['number', 'valid_from'],
  names: {
    number: ['Mã thẻ', 'Mã thẻ BHYT', 'Số thẻ', 'Số thẻ BHYT', 'MA_THE', 'MA_THE_BHYT'],
    personal_id: ['Số định danh cá nhân', 'Số định danh', 'Mã định danh cá nhân', 'Số CCCD', 'CCCD', 'Số căn cước', 'SO_CCCD'],
    full_name: ['Họ và tên', 'Họ tên', 'Họ, chữ đệm và tên', 'Tên chủ thẻ', 'HO_TEN'],
    date_of_birth: ['Ngày sinh', 'Ngày, tháng, năm sinh', 'Ngày tháng năm sinh', 'Năm sinh', 'NGAY_SINH'],
    valid_from: ['Giá trị từ', 'Hạn sử dụng từ', 'Có giá trị từ', 'Thời hạn từ', 'Giá trị thẻ từ', 'GT_THE_TU', 'Từ ngày'],
    valid_to: ['Giá trị đến', 'Hạn sử dụng đến', 'Có giá trị đến', 'Thời hạn đến', 'Giá trị thẻ đến', 'GT_THE_DEN', 'Đến ngày'],
    registered_facility: ['Nơi ĐKBĐ', 'Nơi đăng ký KCB ban đầu', 'Mã nơi ĐKBĐ', 'Mã CSKCB ban đầu', 'MA_DKBD', 'Mã ĐKBĐ'],
    issuer: ['Đơn vị cấp', 'Cơ quan cấp', 'Nơi cấp'],
  },
};

const table: RecordTable<CardField> = {
  schema: 'insurance',
  table: 'card',
  event: 'CARD',
  fields: {
    number: { column: 'number', type: 'text' },
    validFrom: { column: 'valid_from', type: 'date' },
    validTo: { column: 'valid_to', type: 'date' },
    registeredFacility: { column: 'registered_facility', type: 'text' },
    issuer: { column: 'issuer', type: 'text' },
    holderName: { column: 'holder_name', type: 'text' },
    holderBorn: { column: 'holder_born', type: 'text' },
  },
  key: ['number', 'validFrom'],
  standing: { column: 'status', fresh: 'UNVERIFIED' },
  freshHistory: {},
  made: ({ number }) => ({ bhxh_number: number?.slice(-10) ?? null }),
  madeColumns: { bhxh_number: 'text' },
  // What the portal has confirmed is not replaced by a facility's list.
  confirmed: (status) => (status === 'UNVERIFIED' ? [] : ['validTo', 'registeredFacility', 'issuer', 'holderName', 'holderBorn']),
  ownerByKey: true,
  after: async (tx, citizens) => {
    if (citizens.length > 0) await tx.query('select insurance.keep_card_work($1::uuid[])', [citizens]);
  },
};

export const cardsImport: ImportKind<CardColumn> = {
  kind: 'CARDS',
  subgraph: 'insurance',
  permissions: ['import:send', 'card:write'],
  action: 'card.imported',
  type: 'InsuranceCard',
  headings,
  pageSize: 500,
  decide: () => ({}),
  sameAs: ({ number }) => (number ?? '').replace(/[\s-]/g, '').toUpperCase(),
  async page(page, rows) {
    const refused: RowOutcome[] = [];
    const cards = rows.flatMap((row) => {
      const card = readCard(row, page.today);
      if (card.ok) return [card.value];
      refused.push(card.error);
      return [];
    });
    return [...refused, ...(await importRecords(page, table, cards))];
  },
};

export function readCard(row: TableRow<CardColumn>, today: PlainDay): Result<RecordRow<CardField>, RowOutcome> {
  const cells = cellReader(row);
  const issuer = cells.stated('issuer', parseIssuer);
  const number = cells.needed<string>('number', (text) =>
    /^[\s\d-]+$/.test(text) ? parseBhxhNumber(text) : parseInsuranceCardNumber(text, { issuer }),
  );
  const personalId = cells.stated('personal_id', parsePersonalId);
  const holderName = cells.stated('full_name', parsePersonName);
  const holderBorn = cells.stated('date_of_birth', (text) => parseBirthDate(text, today));
  const validFrom = cells.needed('valid_from', parsePlainDay);
  const validTo = cells.stated('valid_to', parsePlainDay);
  const registeredFacility = cells.stated('registered_facility', parseFacilityCode);
  if (validFrom !== null && validTo !== null && validTo < validFrom) cells.refuse('valid_to', 'PERIOD_ORDER');
  const told = number?.length === 15 ? issuerOf(number as InsuranceCardNumber) : null;
  return cells.done({
    line: row.line,
    personalId,
    values: { number, validFrom, validTo, registeredFacility, issuer: issuer ?? told, holderName, holderBorn },
  });
}

/** As the forms write it: the code of the graph, the short name, or the name. */
const issuerNames: Readonly<Record<string, CardIssuer>> = {
  'bhxh vn': 'BHXH_VN',
  'bhxh viet nam': 'BHXH_VN',
  'bao hiem xa hoi viet nam': 'BHXH_VN',
  'bhxh cand': 'BHXH_CAND',
  'bao hiem xa hoi cong an nhan dan': 'BHXH_CAND',
  'bhxh cong an nhan dan': 'BHXH_CAND',
  'bhxh bqp': 'BHXH_BQP',
  'bao hiem xa hoi bo quoc phong': 'BHXH_BQP',
  'bhxh bo quoc phong': 'BHXH_BQP',
};

function parseIssuer(text: string): Parsed<CardIssuer, 'CARD_ISSUER_WORD'> {
  const issuer =
    issuerNames[
      fold(text)
        .replace(/[^a-z]+/g, ' ')
        .trim()
    ];
  return issuer === undefined ? { ok: false, reason: 'CARD_ISSUER_WORD' } : { ok: true, value: issuer };
}
