import { permissionsOf, type Permission, type Role } from '#kernel/auth/permissions.ts';
import { newSecret } from '#kernel/auth/secrets.ts';
import { refusal } from '#kernel/errors/hub-error.ts';
import { asRole } from './principals.ts';

/* What holds for accounts and clients whoever keeps them: the command line of the machine, the graph, or a file. */

export const clientRoles: ReadonlySet<Role> = new Set(['integrator', 'hospital', 'reader', 'insurer']);
export const accountRoles: ReadonlySet<Role> = new Set(['steward', 'centre', 'clerk', 'auditor']);

/** Nobody gives what he has not: a role is given, and an account of it touched, by who has each of its rights himself. */
export function holdsAllOf(own: readonly Permission[], role: Role): boolean {
  return permissionsOf[role].every((permission) => own.includes(permission));
}

export function accountRole(text: string): Role {
  const role = asRole(text);
  if (role === null || !accountRoles.has(role)) throw refusal('ROLE_NOT_FOR_ACCOUNT', { field: 'role' });
  return role;
}

export function givenLogin(login: string): string {
  if (!/^[a-z][a-z0-9._-]{2,63}$/.test(login)) throw refusal('LOGIN_FORMAT', { field: 'login' });
  return login;
}

export function givenName(text: string): string {
  // Line feeds, colours of a terminal and marks that turn the reading direction are no part of a name.
  const name = text
    .normalize('NFC')
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim();
  if (name === '') throw refusal('NAME_EMPTY', { field: 'name' });
  if (name.length > 200) throw refusal('NAME_LENGTH', { field: 'name' });
  return name;
}

/** For one log-in: whoever gets it must change it. */
export function madePassword(): string {
  return newSecret().slice(4, 24);
}

/** What each act writes into `organisation.account`; whoever is logged in is logged out where `not_before` rises. From `$2` on. */
export const accountActs = {
  disabled: 'disabled_at = clock_timestamp(), not_before = clock_timestamp()',
  enabled: 'disabled_at = null',
  'password set': 'password_hash = $2, must_change_password = $3, not_before = clock_timestamp()',
  'second factor off': 'totp_secret = null, totp_step = null',
} as const;

/** The same of `organisation.client`. The secret before stays good until the next rotation, unless `$3`. */
export const clientActs = {
  revoked: 'revoked_at = clock_timestamp(), not_before = clock_timestamp()',
  rotated: `secret_hashes = array[$2] || case when $3 then '{}' else secret_hashes[1:1] end`,
} as const;
