import type { Headings, TableRow } from '#kernel/csv-table.ts';
import type { Parsed } from '#kernel/domain/brand.ts';
import { fold } from '#kernel/domain/person-name.ts';
import { parsePersonalId } from '#kernel/domain/personal-id.ts';
import { parsePlainDay } from '#kernel/domain/plain-date.ts';
import { parseResultCode, readResultCode } from '#kernel/domain/result-code.ts';
import type { ImportKind, RowOutcome } from '#kernel/imports/import-kind.ts';
import { importRecords, type RecordRow, type RecordTable } from '#kernel/imports/record-rows.ts';
import { cellReader } from '#kernel/imports/row-cells.ts';
import { parseWritten } from '#kernel/records/stated.ts';
import type { Result } from '#kernel/result.ts';
import { resultKinds, type ResultKind } from './result.entity.ts';

/* A file of digitized results. */

type ResultColumn = 'code' | 'personal_id' | 'name' | 'kind' | 'issuing_agency' | 'issued_on' | 'valid_to' | 'excerpt' | 'file';
type ResultField = 'code' | 'name' | 'kind' | 'issuingAgency' | 'issuedOn' | 'validTo' | 'excerpt' | 'fileName';

const headings: Headings<ResultColumn> = {
  required: ['code', 'name'],
  names: {
    code: ['Mã kết quả', 'Mã giấy tờ', 'Mã kết quả số hóa', 'Mã kết quả TTHC', 'Mã giấy tờ số hóa'],
    personal_id: ['Số định danh cá nhân', 'Số định danh', 'Mã định danh cá nhân', 'Số CCCD', 'CCCD', 'Số căn cước', 'SO_CCCD'],
    name: ['Tên giấy tờ', 'Tên kết quả', 'Tên kết quả TTHC', 'Tên thành phần hồ sơ'],
    kind: ['Loại giấy tờ', 'Loại kết quả', 'Loại'],
    issuing_agency: ['Cơ quan cấp', 'Cơ quan ban hành', 'Đơn vị cấp', 'Nơi cấp'],
    issued_on: ['Ngày cấp', 'Ngày ban hành'],
    valid_to: ['Ngày hết hạn', 'Có giá trị đến', 'Thời hạn đến', 'Hiệu lực đến'],
    excerpt: ['Trích yếu', 'Trích yếu nội dung', 'Nội dung'],
    file: ['Tệp', 'Tên tệp', 'Tệp đính kèm', 'File'],
  },
};

const table: RecordTable<ResultField> = {
  schema: 'results',
  table: 'result',
  event: 'RESULT',
  fields: {
    code: { column: 'code', type: 'text' },
    name: { column: 'name', type: 'text' },
    kind: { column: 'kind', type: 'text' },
    issuingAgency: { column: 'issuing_agency', type: 'text' },
    issuedOn: { column: 'issued_on', type: 'date' },
    validTo: { column: 'valid_to', type: 'date' },
    excerpt: { column: 'excerpt', type: 'text' },
    fileName: { column: 'file_name', type: 'text' },
  },
  key: ['code'],
  standing: { column: 'state', fresh: 'IN_FORCE' },
  freshHistory: { fileState: 'NONE', useCount: '0' },
  made: () => ({}),
  madeColumns: {},
  confirmed: () => [],
  ownerByKey: true,
};

export const resultsImport: ImportKind<ResultColumn> = {
  kind: 'RESULTS',
  subgraph: 'results',
  permissions: ['import:send', 'result:write'],
  action: 'result.imported',
  type: 'DigitizedResult',
  headings,
  pageSize: 500,
  decide: () => ({}),
  sameAs: ({ code }) => code ?? '',
  async page(page, rows) {
    const refused: RowOutcome[] = [];
    const results = rows.flatMap((row) => {
      const result = readResult(row);
      if (result.ok) return [result.value];
      refused.push(result.error);
      return [];
    });
    return [...refused, ...(await importRecords(page, table, results))];
  },
};

export function readResult(row: TableRow<ResultColumn>): Result<RecordRow<ResultField>, RowOutcome> {
  const cells = cellReader(row);
  const code = cells.needed('code', parseResultCode);
  const personalId = cells.stated('personal_id', parsePersonalId);
  const name = cells.needed('name', parseWritten);
  const kind = cells.stated('kind', parseKind);
  const issuingAgency = cells.stated('issuing_agency', parseWritten);
  const issuedOn = cells.stated('issued_on', parsePlainDay);
  const validTo = cells.stated('valid_to', parsePlainDay);
  const excerpt = cells.stated('excerpt', parseWritten);
  const fileName = cells.stated('file', parseFileName);
  if (issuedOn !== null && validTo !== null && validTo < issuedOn) cells.refuse('valid_to', 'PERIOD_ORDER');
  const owner = code === null ? '' : readResultCode(code).owner;
  // Other owners are organisations, or numbers of other systems.
  const printed = /^(?:[0-9]{9}|[0-9]{12})$/.test(owner) ? owner : null;
  return cells.done({
    line: row.line,
    // The column goes before: the code may carry a number that he had before.
    personalId: personalId ?? printed,
    values: { code, name, kind, issuingAgency, issuedOn, validTo, excerpt, fileName },
  });
}

const kindNames: Readonly<Record<string, ResultKind>> = {
  'ban dien tu': 'ELECTRONIC_ORIGINAL',
  'ban goc dien tu': 'ELECTRONIC_ORIGINAL',
  'ban so hoa': 'DIGITIZED_PAPER',
  'ban giay so hoa': 'DIGITIZED_PAPER',
  'ban sao chung thuc': 'CERTIFIED_COPY',
  'ban sao chung thuc dien tu': 'CERTIFIED_COPY',
};

function parseKind(text: string): Parsed<ResultKind, 'RESULT_KIND_WORD'> {
  const kind = resultKinds.find((known) => known === text.toUpperCase()) ?? kindNames[fold(text)];
  return kind === undefined ? { ok: false, reason: 'RESULT_KIND_WORD' } : { ok: true, value: kind };
}

/** The name alone, as it is shown: no folders, nothing that hides its end. */
function parseFileName(text: string): Parsed<string, 'TEXT_EMPTY' | 'TEXT_LENGTH'> {
  return parseWritten((text.split(/[/\\]/).at(-1) ?? '').replace(/[\p{Cc}\p{Cf}]/gu, ''));
}
