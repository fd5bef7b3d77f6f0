import { useQuery } from '@tanstack/react-query';
import { whoIsHere } from '../api/auth-provider.ts';
import type { Principal } from '../api/records.ts';
import type { Permission } from '../api/rights.ts';
import { rightOf, type ResourceName } from '../api/resources.ts';

/** Who sits here; undefined until that is known. */
export function usePrincipal(): Principal | undefined {
  return useQuery({ queryKey: ['principal'], queryFn: whoIsHere, staleTime: Number.POSITIVE_INFINITY }).data;
}

/** Which resources may be opened; none until that is known. */
export function useMay(): (resource: ResourceName) => boolean {
  const principal = usePrincipal();
  return (resource) => principal?.permissions.includes(rightOf[resource]) === true;
}

/** Which changes may be offered; none until that is known. */
export function useMayChange(): (permission: Permission) => boolean {
  const principal = usePrincipal();
  return (permission) => principal?.permissions.includes(permission) === true;
}
