import type { UnitRef } from './records.ts';

/** An account as the screens know it; never a password or a hash. */
export interface AccountRecord {
  readonly id: string;
  readonly version: number;
  readonly login: string;
  readonly name: string;
  readonly email: string | null;
  readonly role: string;
  readonly orgUnit: UnitRef | null;
  readonly disabledAt: string | null;
  readonly mustChangePassword: boolean;
  readonly secondFactor: boolean;
  readonly createdAt: string;
  readonly lastSeenAt: string | null;
}

export interface ClientRecord {
  readonly id: string;
  readonly version: number;
  readonly name: string;
  readonly role: string;
  readonly orgUnit: UnitRef | null;
  readonly defaultPurpose: string | null;
  readonly pointsPerMinute: number;
  readonly revokedAt: string | null;
  readonly createdAt: string;
}
