import { fold } from '#kernel/domain/person-name.ts';
import type { ImportKind, ImportPage, RowOutcome } from '#kernel/imports/import-kind.ts';
import { refusedRow } from '#kernel/imports/import-kind.ts';
import { unitsByCode } from '#kernel/imports/unit-codes.ts';
import type { TableRow } from '#kernel/csv-table.ts';
import { decideFile, importHeadings, parseRow, type ImportColumn } from './import-file.ts';
import { importPage, type PageRow } from './import-page.ts';

/** A facility's file of citizens. */
export const citizensImport: ImportKind<ImportColumn> = {
  kind: 'CITIZENS',
  subgraph: 'citizens',
  permissions: ['import:send', 'citizen:write'],
  action: 'citizen.imported',
  type: 'Citizen',
  headings: importHeadings,
  pageSize: 500,
  decide: (rows) => ({ communeList: decideFile(rows).communeList }),
  sameAs: ({ source_key, personal_id, full_name, date_of_birth }) =>
    personal_id ?? source_key ?? [fold(full_name ?? ''), date_of_birth].join('|'),
  page: readPage,
};

async function readPage(page: ImportPage<ImportColumn>, rows: readonly TableRow<ImportColumn>[]): Promise<readonly RowOutcome[]> {
  const communeList = page.decisions.communeList === '2024' ? '2024' : '2025';
  const refused: RowOutcome[] = [];
  const parsed = rows.flatMap((row) => {
    const citizen = parseRow(row, { communeList }, page.today);
    if (citizen.ok) return [citizen.value];
    refused.push({ ...citizen.error, end: 'REFUSED' });
    return [];
  });
  const units = await unitsByCode(
    page,
    parsed.map(({ unitCode }) => unitCode),
  );
  const citizens: PageRow[] = [];
  for (const citizen of parsed) {
    const unitNo = units.get(citizen.unitCode);
    // A unit of someone else is a unit that does not exist.
    if (unitNo === undefined) refused.push(refusedRow(citizen.line, 'unit_code', 'UNIT_UNKNOWN'));
    else citizens.push({ ...citizen, unitNo });
  }
  return [...refused, ...(await importPage(page, citizens))];
}
