import { citizenFields, type CitizenField } from '#kernel/domain/citizen-field.ts';

export type FieldState = 'GREEN' | 'YELLOW' | 'RED';

/** Letters of the stored column `states`, made by PostgreSQL from the values and the bits. */
export const stateLetters: Readonly<Record<FieldState, string>> = { GREEN: 'G', YELLOW: 'Y', RED: 'R' };

export interface FieldStatus {
  readonly field: CitizenField;
  readonly status: FieldState;
  readonly conflict: boolean;
  readonly source: string | null;
  readonly checkedAt: string | null;
}

/** Who compared each field last and when, by position; the arrays end with the last field that was ever compared. */
export interface Checks {
  readonly source: readonly (string | null)[];
  readonly at: readonly (string | null)[];
}

const stateOf: Readonly<Record<string, FieldState>> = { G: 'GREEN', Y: 'YELLOW', R: 'RED' };

/** A province has some hundred different sheets; each is made once and never changed. */
const sheets = new Map<string, readonly FieldStatus[]>();
const sheetLimit = 4_096;

export function fieldStatuses(states: string, conflicted: number, checks: Checks | null): readonly FieldStatus[] {
  const name = `${states}${String(conflicted)}`;
  let sheet = sheets.get(name);
  if (sheet === undefined) {
    sheet = citizenFields.map((field, index) => ({
      field,
      // A letter that is not there would be a confirmation nobody gave.
      status: stateOf[states.charAt(index)] ?? 'RED',
      conflict: (conflicted & (1 << index)) !== 0,
      source: null,
      checkedAt: null,
    }));
    if (sheets.size >= sheetLimit) sheets.clear();
    sheets.set(name, sheet);
  }
  if (checks === null || checks.at.length === 0) return sheet;
  return sheet.map((status, index) => {
    const source = checks.source[index] ?? null;
    return { ...status, source: source === '' ? null : source, checkedAt: checks.at[index] ?? null };
  });
}
