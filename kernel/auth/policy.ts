import type { Caller } from './principal.ts';
import { countOfUnits } from '../unit-scope.ts';
import { onLegalBasis, type Permission } from './permissions.ts';
import { shownInClear, type MaskedField } from './purposes.ts';

/** What rows a caller may touch for one permission. `null` from {@link scopeOf} means: the role has no such right anywhere. */
export interface RowScope {
  /** int4multirange text of unit numbers; goes into lock one (text of the read) and lock two (`hub.scope`). */
  readonly units: string;
  readonly unitCount: number;
  /** A legal basis for one person narrows every read to him. */
  readonly citizenId: string | null;
}

/** No rule means no. */
export function scopeOf(caller: Caller, permission: Permission): RowScope | null {
  const { principal, basis } = caller;
  if (principal.permissions.includes(permission)) {
    return { units: principal.scope, unitCount: principal.scopeUnits, citizenId: null };
  }
  if (basis?.permissions.includes(permission) === true) {
    return { units: basis.scope, unitCount: countOfUnits(basis.scope), citizenId: basis.citizenId };
  }
  return null;
}

/** Whether a field of this kind is shown in clear to this caller for the purpose he states. */
export function inClear(caller: Caller, field: MaskedField): boolean {
  return shownInClear[caller.principal.role][caller.purpose]?.includes(field) ?? false;
}

/**
 * The role could have this right on a legal basis, but none stands that lends it. Whoever refuses for that reason notes
 * `basis.refused` with the person asked about, so that he sees the attempt among the accesses to his record.
 */
export function lacksBasis(caller: Caller, permission: Permission): boolean {
  return scopeOf(caller, permission) === null && onLegalBasis[caller.principal.role]?.includes(permission) === true;
}
