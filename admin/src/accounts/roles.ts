import type { EnumChoice } from '../lists/choices.ts';

/** Roles of people; which of them one may give, the hub says. */
export const accountRoles: EnumChoice['options'] = [
  { value: 'steward', label: 'role.steward' },
  { value: 'centre', label: 'role.centre' },
  { value: 'clerk', label: 'role.clerk' },
  { value: 'auditor', label: 'role.auditor' },
];
