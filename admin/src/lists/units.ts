import type { OrgUnit } from '../api/records.ts';
import { useAsk } from '../parts/use-hub.ts';

export interface UnitLine {
  readonly id: string;
  readonly name: string;
  readonly level: OrgUnit['level'];
  readonly depth: number;
}

export function flatUnits(units: readonly OrgUnit[], depth = 0): readonly UnitLine[] {
  return units.flatMap(({ id, name, code, level, children }) => [
    { id, name: name ?? code ?? id, level, depth },
    ...flatUnits(children ?? [], depth + 1),
  ]);
}

/** The units that one sees, as a tree; they change rarely. */
export function useUnits(): readonly OrgUnit[] {
  return useAsk(['units'], (hub, asked) => hub.units(asked)).data ?? [];
}
