import { LRUCache } from 'lru-cache';
import { onLegalBasis, permissions, permissionsOf, roles, type Permission, type Role } from '#kernel/auth/permissions.ts';
import type { BasisAsked, LegalBasis, Principal, PrincipalSource } from '#kernel/auth/principal.ts';
import { defaultPurpose, purposes, type Purpose } from '#kernel/auth/purposes.ts';
import { operatorPointsPerMinute } from '#kernel/auth/rate.ts';
import type { Clock } from '#kernel/clock.ts';
import { isUuid } from '#kernel/domain/ids.ts';
import type { OrganisationDatabase, Sql } from './database.ts';
import { insertEvents } from './security-events.ts';
import type { UnitDirectory } from './units.ts';

/*
 * Who stands behind a token: the one place where an account or client becomes a principal with scope and permissions.
 *
 * Nothing is cached here but the tree of units (≤ 5 s). The authenticator keeps a principal for 30 s, so a revocation, a disabled
 * account or a change of units works within 35 s everywhere. No rule means no: an unknown role, a unit that does not exist, a
 * token older than `not_before` are nobody.
 */

interface PrincipalRow {
  readonly id: string;
  readonly name: string;
  readonly kind: 'ACCOUNT' | 'CLIENT';
  readonly unitNo: number;
  readonly role: string;
  readonly purpose: string | null;
  readonly points: number;
  readonly notBefore: Date | null;
  readonly ended: boolean;
}

const accountColumns = `id::text, name, 'ACCOUNT' as kind, unit_no as "unitNo", role, null as purpose,
  ${String(operatorPointsPerMinute)} as points, not_before as "notBefore", disabled_at is not null as ended`;
const clientColumns = `id, name, 'CLIENT' as kind, unit_no as "unitNo", role, default_purpose as purpose,
  points_per_minute as points, not_before as "notBefore", revoked_at is not null as ended`;

/** A dead token or a refused legal basis that is used again and again leaves one trace a minute. */
const eventEvery = 60_000;

export class Principals implements PrincipalSource {
  readonly #database: OrganisationDatabase;
  readonly #units: UnitDirectory;
  readonly #clock: Clock;
  readonly #reported = new LRUCache<string, number>({ max: 1_000 });

  constructor(database: OrganisationDatabase, units: UnitDirectory, clock: Clock) {
    this.#database = database;
    this.#units = units;
    this.#clock = clock;
  }

  async find(subject: string, issuedAt: Date): Promise<Principal | null> {
    const row = await this.#database.read((sql) => findRow(sql, subject));
    if (row === null) return null;
    if (row.ended || (row.notBefore !== null && issuedAt < row.notBefore)) {
      await this.#reportDead(row.id);
      return null;
    }
    return await this.#principal(row);
  }

  async basis(principalId: string, basisId: string, asked?: BasisAsked): Promise<LegalBasis | null> {
    const found = await this.#database.read(async (sql) => {
      const [basis] = await sql.rows<BasisRow>(basisText, [basisId, principalId]);
      const client = basis === undefined ? null : await findRow(sql, principalId);
      return basis === undefined || client === null ? null : { basis, client };
    });
    if (found === null) {
      // Not by its name: whoever makes up a new one each time would leave a row each time.
      if (this.#isNews(`basis.unknown ${principalId}`)) {
        await this.#database.write((sql) => noteEvent(sql, 'basis.unknown', principalId, asked?.traceId ?? null));
      }
      return null;
    }
    const { basis, client } = found;
    const role = asRole(client.role);
    if (!basis.stands || client.ended || role === null) {
      if (this.#isNews(`basis.refused ${principalId} ${basis.id}`)) {
        await this.#database.write((sql) => reportRefused(sql, basis, client, asked ?? null));
      }
      return null;
    }
    const lendable = onLegalBasis[role] ?? [];
    const units = await this.#units.now();
    return {
      id: basis.id,
      citizenId: basis.citizenId,
      scope: units.scopeOf(basis.unitNo).units,
      permissions: basis.permissions.filter(isPermission).filter((permission) => lendable.includes(permission)),
    };
  }

  async #principal(row: PrincipalRow): Promise<Principal | null> {
    const role = asRole(row.role);
    const units = await this.#units.now();
    if (role === null || units.find(row.unitNo) === null) return null;
    const scope = units.scopeOf(row.unitNo);
    return {
      id: row.id,
      name: row.name,
      kind: row.kind,
      role,
      unitNo: row.unitNo,
      scope: scope.units,
      scopeUnits: scope.count,
      permissions: permissionsOf[role],
      purpose: asPurpose(row.purpose) ?? defaultPurpose[role],
      pointsPerMinute: row.points,
    };
  }

  async #reportDead(id: string): Promise<void> {
    if (this.#isNews(`token.dead ${id}`)) await this.#database.write((sql) => noteEvent(sql, 'token.dead', id, null));
  }

  #isNews(trace: string): boolean {
    const now = this.#clock.now().getTime();
    const last = this.#reported.get(trace);
    if (last !== undefined && now - last < eventEvery) return false;
    this.#reported.set(trace, now);
    return true;
  }
}

/** `login:NAME`: an outside issuer speaks of log-ins. Else the id of an account or of a client, which never look alike. */
async function findRow(sql: Sql, subject: string): Promise<PrincipalRow | null> {
  const clientId = subject.startsWith('client:') ? subject.slice(7) : subject;
  const [row] = subject.startsWith('login:')
    ? await sql.rows<PrincipalRow>(`select ${accountColumns} from organisation.account where login = $1`, [subject.slice(6)])
    : isUuid(subject)
      ? await sql.rows<PrincipalRow>(`select ${accountColumns} from organisation.account where id = $1`, [subject])
      : await sql.rows<PrincipalRow>(`select ${clientColumns} from organisation.client where id = $1`, [clientId]);
  return row ?? null;
}

interface BasisRow {
  readonly id: string;
  readonly citizenId: string | null;
  readonly unitNo: number;
  readonly permissions: readonly string[];
  readonly stands: boolean;
}

const basisText = `select id, citizen_id::text as "citizenId", unit_no as "unitNo", permissions,
    valid_from <= clock_timestamp() and (valid_until is null or clock_timestamp() < valid_until)
      and (withdrawn_at is null or clock_timestamp() < withdrawn_at) as stands
  from organisation.legal_basis where id = $1 and client_id = $2`;

function noteEvent(sql: Sql, kind: string, principal: string, traceId: string | null): Promise<void> {
  return insertEvents(sql, [{ kind, principal, traceId, detail: {} }]);
}

/** The attempt stands in the person's access list (where the basis was for one person) and among the security events. */
async function reportRefused(sql: Sql, basis: BasisRow, client: PrincipalRow, asked: BasisAsked | null): Promise<void> {
  await noteEvent(sql, 'basis.refused', client.id, asked?.traceId ?? null);
  const subjects = basis.citizenId === null ? [] : [basis.citizenId];
  const role = asRole(client.role);
  await sql.rows(
    `insert into hub.audit_event (principal, principal_kind, principal_name, role, unit_no, purpose, basis, action, subgraph,
        subjects, subject_count, operation, trace_id)
      values ($1, $2, $3, $4, $5, $6, $7, 'basis.refused', 'organisation', $8::uuid[], $9, $10, $11)`,
    [
      client.id,
      client.kind,
      client.name,
      client.role,
      client.unitNo,
      asked?.purpose ?? asPurpose(client.purpose) ?? (role === null ? 'HOPERAT' : defaultPurpose[role]),
      basis.id,
      subjects,
      subjects.length,
      asked?.operation ?? 'basis',
      asked?.traceId ?? '',
    ],
  );
}

/** A role of an account or client; `cli` is the machine's own operator and belongs to no token. */
export function asRole(text: string): Role | null {
  return roles.find((role) => role === text && role !== 'cli') ?? null;
}

export function asPurpose(text: string | null): Purpose | null {
  return purposes.find((purpose) => purpose === text) ?? null;
}

function isPermission(text: string): text is Permission {
  return permissions.some((permission) => permission === text);
}
