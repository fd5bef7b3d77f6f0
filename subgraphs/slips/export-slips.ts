import { plainCells, type ExportKind } from '#kernel/exports/export-kind.ts';

export const referralsExport: ExportKind = {
  kind: 'REFERRAL_SLIPS',
  word: 'referral-slips',
  list: 'referralSlips',
  filterType: 'SlipFilter',
  selection: 'id number origin status issuedOn validTo fromFacility toFacility reason',
  order: 'id',
  cells: (node) =>
    plainCells(node, {
      number: 'number',
      origin: 'origin',
      status: 'status',
      issued_on: 'issuedOn',
      valid_to: 'validTo',
      from_facility: 'fromFacility',
      to_facility: 'toFacility',
      reason: 'reason',
      id: 'id',
    }),
};

export const reexaminationsExport: ExportKind = {
  kind: 'REEXAMINATION_SLIPS',
  word: 'reexamination-slips',
  list: 'reexaminationSlips',
  filterType: 'SlipFilter',
  selection: 'id number origin status issuedOn appointmentOn facility',
  order: 'id',
  cells: (node) =>
    plainCells(node, {
      number: 'number',
      origin: 'origin',
      status: 'status',
      issued_on: 'issuedOn',
      appointment_on: 'appointmentOn',
      facility: 'facility',
      id: 'id',
    }),
};
