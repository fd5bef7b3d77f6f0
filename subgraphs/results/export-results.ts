import { plainCells, type ExportKind } from '#kernel/exports/export-kind.ts';

/** A file of it comes in again and changes nothing. */
export const resultsExport: ExportKind = {
  kind: 'RESULTS',
  word: 'results',
  list: 'digitizedResults',
  filterType: 'DigitizedResultFilter',
  selection: 'id code name kind issuingAgency issuedOn validTo excerpt',
  order: 'id',
  cells: (node) =>
    plainCells(node, {
      code: 'code',
      name: 'name',
      kind: 'kind',
      issuing_agency: 'issuingAgency',
      issued_on: 'issuedOn',
      valid_to: 'validTo',
      excerpt: 'excerpt',
      id: 'id',
    }),
};
