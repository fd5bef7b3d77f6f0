/** The ten fields of the identity sheet, in its order: bit n of a citizen's `confirmed` and `conflicted` is the n-th of these. */
export const citizenFields = [
  'FULL_NAME',
  'OLD_ID_NUMBER',
  'PERSONAL_ID',
  'DATE_OF_BIRTH',
  'PHONE',
  'GENDER',
  'BIRTHPLACE',
  'EMAIL',
  'NATIVE_PLACE',
  'PERMANENT_ADDRESS',
] as const;
export type CitizenField = (typeof citizenFields)[number];

/** Bits of the named fields. */
export function fieldBits(fields: readonly CitizenField[]): number {
  return fields.reduce((bits, field) => bits | (1 << citizenFields.indexOf(field)), 0);
}
