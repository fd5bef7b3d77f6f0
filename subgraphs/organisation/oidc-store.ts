import { randomBytes } from 'node:crypto';
import { errors, type Adapter, type AdapterPayload } from 'oidc-provider';
import { adminClient, callbackPath } from '#kernel/auth/sessions.ts';
import type { OrganisationDatabase } from './database.ts';

/*
 * What the OpenID provider keeps, in PostgreSQL. Clients are read from organisation.client and never written by the provider;
 * everything else (codes, sessions, grants) is a payload with an end.
 */

export interface OidcStore {
  readonly adapter: (model: string) => Adapter;
  /** Deletes what has expired; the number of rows. */
  tidy(): Promise<number>;
}

/** The library wants a secret for a client that authenticates; it is compared with nothing, `compareClientSecret` is ours. */
const unusedSecret = randomBytes(32).toString('base64url');

/** `issuer`: the public address, where the admin's log-in returns to. */
export function oidcStore(database: OrganisationDatabase, issuer: () => string): OidcStore {
  return {
    adapter: (model) => (model === 'Client' ? clients(database, issuer) : payloads(database, model)),
    async tidy() {
      const rows = await database.write((sql) =>
        sql.rows('delete from organisation.oidc_payload where expires_at < clock_timestamp() returning 1'),
      );
      return rows.length;
    },
  };
}

function clients(database: OrganisationDatabase, issuer: () => string): Adapter {
  const never = () => Promise.reject(new Error('clients are changed by the command line'));
  return {
    upsert: never,
    consume: never,
    destroy: never,
    revokeByGrantId: never,
    findByUid: () => Promise.resolve(undefined),
    findByUserCode: () => Promise.resolve(undefined),
    /**
     * A client that does not exist, or was revoked, is described like one that does, with no hash that any secret fits: it is
     * refused by the same steps, in the same time and words as a wrong secret.
     */
    async find(id) {
      if (id === adminClient) return adminAt(issuer());
      const [client] = await database.read((sql) =>
        sql.rows<{ readonly hashes: readonly string[] }>(
          'select secret_hashes as hashes from organisation.client where id = $1 and revoked_at is null',
          [id],
        ),
      );
      return {
        client_id: id,
        client_secret: unusedSecret,
        hub_secret_hashes: client?.hashes ?? [],
      };
    },
  };
}

/** The admin runs in the browser and the hub's web edge: it has no secret, only the verifier of each log-in. */
function adminAt(address: string): AdapterPayload {
  return {
    client_id: adminClient,
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code'],
    response_types: ['code'],
    redirect_uris: [new URL(callbackPath, address).href],
  };
}

interface PayloadRow {
  readonly payload: AdapterPayload;
  readonly consumed: number | null;
}

const columns = `payload, extract(epoch from consumed_at)::float8 as consumed`;
const alive = '(expires_at is null or expires_at > clock_timestamp())';

function payloads(database: OrganisationDatabase, model: string): Adapter {
  async function find(condition: string, value: string): Promise<AdapterPayload | undefined> {
    const [row] = await database.read((sql) =>
      sql.rows<PayloadRow>(
        `select ${columns} from organisation.oidc_payload where model = $1 and ${condition} = $2 and ${alive}`,
        [model, value],
      ),
    );
    if (row === undefined) return undefined;
    return row.consumed === null ? row.payload : { ...row.payload, consumed: Math.floor(row.consumed) };
  }
  async function change(text: string, values: readonly unknown[]): Promise<void> {
    await database.write((sql) => sql.rows(text, values));
  }
  return {
    upsert: (id, payload, expiresIn) =>
      change(
        `insert into organisation.oidc_payload (model, id, payload, grant_id, uid, user_code, expires_at)
          values ($1, $2, $3, $4, $5, $6, clock_timestamp() + make_interval(secs => $7::float8))
          on conflict (model, id) do update set payload = excluded.payload, grant_id = excluded.grant_id, uid = excluded.uid,
            user_code = excluded.user_code, expires_at = excluded.expires_at`,
        [
          model,
          id,
          JSON.stringify(payload),
          payload.grantId ?? null,
          payload.uid ?? null,
          payload.userCode ?? null,
          Number.isFinite(expiresIn) ? expiresIn : null,
        ],
      ),
    find: (id) => find('id', id),
    findByUid: (uid) => find('uid', uid),
    findByUserCode: (userCode) => find('user_code', userCode),
    /** Of two that come with the same code at once, one gets through. */
    async consume(id) {
      const used = await database.write(async (sql) => {
        const rows = await sql.rows(
          `update organisation.oidc_payload set consumed_at = clock_timestamp()
            where model = $1 and id = $2 and consumed_at is null returning 1`,
          [model, id],
        );
        return rows.length;
      });
      if (used === 0) throw new errors.InvalidGrant('already used');
    },
    destroy: (id) => change('delete from organisation.oidc_payload where model = $1 and id = $2', [model, id]),
    revokeByGrantId: (grantId) => change('delete from organisation.oidc_payload where grant_id = $1', [grantId]),
  };
}
