import type { Caller } from './principal.ts';
import type { Permission } from './permissions.ts';
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
    return { units: basis.scope, unitCount: principal.scopeUnits, citizenId: basis.citizenId };
  }
  return null;
}

/** Whether a field of this kind is shown in clear to this caller for the purpose he states. */
export function inClear(caller: Caller, field: MaskedField): boolean {
  return shownInClear[caller.principal.role][caller.purpose]?.includes(field) ?? false;
}
