import type { Permission, Role } from './permissions.ts';
import type { Purpose } from './purposes.ts';

export type PrincipalKind = 'ACCOUNT' | 'CLIENT' | 'CLI';

/** A legal basis that stands at the moment of asking: it lends permissions for one citizen or for a scope. */
export interface LegalBasis {
  readonly id: string;
  readonly citizenId: string | null; // null: everyone in `scope`
  readonly scope: string; // int4multirange text
  readonly permissions: readonly Permission[];
}

/**
 * Who is asking, as organisation says it at most 60 s ago. In one process the object is handed over; apart it travels in the
 * signed envelope. Immutable; made only by organisation (`principals.find`) and by the verifier of the signed hop.
 */
export interface Principal {
  readonly id: string; // account id (uuid), client id, or "cli"
  readonly name: string;
  readonly kind: PrincipalKind;
  readonly role: Role;
  /** Number of the unit the principal belongs to. */
  readonly unitNo: number;
  /** Numbers of all units at or below his, as int4multirange text: `{[1,4),[7,8)}`; `{}` covers nothing. */
  readonly scope: string;
  /** How many units the scope covers: decides between the walk by unit and the walk of the whole index. */
  readonly scopeUnits: number;
  readonly permissions: readonly Permission[];
  readonly purpose: Purpose; // default purpose
  readonly pointsPerMinute: number;
}

/** A principal with what he states for one request. */
export interface Caller {
  readonly principal: Principal;
  readonly purpose: Purpose;
  readonly basis: LegalBasis | null;
  readonly locale: 'vi' | 'en';
  readonly traceId: string;
  /** Operation name as sent, or "anonymous"; never variables. */
  readonly operation: string;
  /** Header `Idempotency-Key` as it came; only a mutation looks at it, and checks it. */
  readonly idempotencyKey: string | null;
}

/** The request that states a legal basis, as its audit row names it. */
export interface BasisAsked {
  readonly purpose: Purpose;
  readonly operation: string;
  readonly traceId: string;
}

/** Who stands behind a verified token, as organisation says it now; at most 60 s old wherever it is cached. */
export interface PrincipalSource {
  /**
   * `null`: unknown, disabled or revoked. A token issued before `notBefore` of its account or client is dead.
   * `subject` is the client id or the account id (uuid) as the token names it.
   */
  find(subject: string, issuedAt: Date): Promise<Principal | null>;
  /**
   * A basis of this principal that stands now; `null` otherwise. Asked again after the read, before the answer leaves. One that exists and does not stand
   * leaves a row in the access list of the person it was for; `asked` says of which request.
   */
  basis(principalId: string, basisId: string, asked?: BasisAsked): Promise<LegalBasis | null>;
}

/** Turns an Authorization header into a principal; `null` for whatever is not a good token, without saying why. */
export interface Authenticator {
  authenticate(authorization: string | undefined): Promise<Principal | null>;
}
