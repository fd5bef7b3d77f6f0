import type { CitizenField } from '../domain/citizen-field.ts';
import { Random } from './random.ts';
import type { NumberSpace } from './facts.ts';

/** How a planted defect comes to light: the job or file that finds it. In `demo-defects.csv` in lower case. */
export type DefectFinder = 'RECONCILE' | 'IMPORT' | 'CARDS';

/**
 * A way in which a citizen can be dirty. Each planted one makes exactly one work item on that citizen and field, and nothing
 * else: what is not planted agrees with the population database and with itself.
 */
export interface Defect {
  readonly kind: 'DIFFERENT' | 'ONLY_THEIRS' | 'ONLY_OURS' | 'UNKNOWN_PERSON' | 'INCONSISTENT' | 'DUPLICATE_CARD' | 'OVERLAP';
  /** `null`: the defect lies in the cards, not in a field of the person. */
  readonly field: CitizenField | null;
  readonly foundBy: DefectFinder;
}

/** The known list, with how often each is planted. */
export const defects = {
  name: { kind: 'DIFFERENT', field: 'FULL_NAME', foundBy: 'RECONCILE' },
  birth: { kind: 'DIFFERENT', field: 'DATE_OF_BIRTH', foundBy: 'RECONCILE' },
  gender: { kind: 'DIFFERENT', field: 'GENDER', foundBy: 'RECONCILE' },
  moved: { kind: 'DIFFERENT', field: 'PERMANENT_ADDRESS', foundBy: 'RECONCILE' },
  oldNumber: { kind: 'ONLY_THEIRS', field: 'OLD_ID_NUMBER', foundBy: 'RECONCILE' },
  nativePlace: { kind: 'ONLY_THEIRS', field: 'NATIVE_PLACE', foundBy: 'RECONCILE' },
  birthplace: { kind: 'ONLY_OURS', field: 'BIRTHPLACE', foundBy: 'RECONCILE' },
  unknown: { kind: 'UNKNOWN_PERSON', field: 'PERSONAL_ID', foundBy: 'RECONCILE' },
  /** Digits of the number contradict the stated sex; the population database confirms both, since numbers can be set anew. */
  inconsistent: { kind: 'INCONSISTENT', field: 'PERSONAL_ID', foundBy: 'IMPORT' },
  /** The card carries the last ten digits of the citizen before; the item lies on the later of the two. */
  duplicateCard: { kind: 'DUPLICATE_CARD', field: null, foundBy: 'CARDS' },
  /** Two cards of one citizen whose intervals overlap. */
  overlap: { kind: 'OVERLAP', field: null, foundBy: 'CARDS' },
} as const satisfies Readonly<Record<string, Defect>>;
export type DefectName = keyof typeof defects;

const shares = [
  ['name', 16],
  ['birth', 14],
  ['gender', 5],
  ['moved', 16],
  ['oldNumber', 8],
  ['nativePlace', 6],
  ['birthplace', 6],
  ['unknown', 8],
  ['inconsistent', 7],
  ['duplicateCard', 7],
  ['overlap', 7],
] as const satisfies readonly (readonly [DefectName, number])[];

/** The defect of one citizen, drawn without looking at him. */
function drawn(seed: number, space: NumberSpace, index: number, dirty: number): DefectName | null {
  const random = new Random(seed, `defect ${space}`, index);
  return random.chance(dirty) ? random.weighted(shares) : null;
}

/**
 * The defect of one citizen; none below `first` (the fixed ones). A card held twice needs a clean neighbour before him, whose
 * number it is; where there is none it becomes an overlap.
 */
export function plannedDefect(seed: number, space: NumberSpace, index: number, first: number, dirty: number): DefectName | null {
  if (index < first) return null;
  const planned = drawn(seed, space, index, dirty);
  if (planned !== 'duplicateCard') return planned;
  return index > first && drawn(seed, space, index - 1, dirty) === null ? planned : 'overlap';
}
