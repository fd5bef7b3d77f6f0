import { plainCells, type ExportKind } from '#kernel/exports/export-kind.ts';

/** A file of it comes in again and changes nothing. */
export const cardsExport: ExportKind = {
  kind: 'CARDS',
  word: 'cards',
  list: 'insuranceCards',
  filterType: 'InsuranceCardFilter',
  selection: 'id number validFrom validTo status registeredFacility issuer holderName',
  order: 'id',
  cells: (node) =>
    plainCells(node, {
      number: 'number',
      full_name: 'holderName',
      valid_from: 'validFrom',
      valid_to: 'validTo',
      registered_facility: 'registeredFacility',
      issuer: 'issuer',
      id: 'id',
      status: 'status',
    }),
};
