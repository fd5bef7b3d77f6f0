import type { MaskedField } from '#kernel/auth/purposes.ts';
import type { HistoryFields } from '#kernel/records/history.ts';

/** Fields that history knows, as the graph names them, in the order of the graph; how each is masked. Whatever else is stored stays there. */
const historyFields = [
  'orgUnit',
  'lifeStatus',
  'mergedInto',
  'personalId',
  'oldIdNumber',
  'fullName',
  'dateOfBirth',
  'gender',
  'ethnicity',
  'phone',
  'email',
  'birthplace',
  'nativePlace',
  'permanentAddress',
  'permanentCommune',
  'currentAddress',
  'currentCommune',
  'sourceKey',
  'reason',
  'decision',
  'discrepancy',
  'handedFrom',
  'handedTo',
  'note',
] as const;
type HistoryField = (typeof historyFields)[number];
const historyMasks: Readonly<
  Partial<Record<HistoryField, Extract<MaskedField, 'personalId' | 'oldIdNumber' | 'phone' | 'email'>>>
> = {
  personalId: 'personalId',
  oldIdNumber: 'oldIdNumber',
  phone: 'phone',
  email: 'email',
};

export const historyOfCitizen: HistoryFields = Object.fromEntries(
  historyFields.map((field) => [field, historyMasks[field] ?? null]),
);
