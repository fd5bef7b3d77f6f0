import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { auditKey, auditPublicKeys, makeAuditKey } from '#kernel/audit/heads.ts';
import type { Query } from '#kernel/audit/sealed-rows.ts';
import { openSealer, type Sealer } from '#kernel/audit/sealer.ts';
import { verifyAudit, type Verified } from '#kernel/audit/verify.ts';
import { createTestDatabase, type TestDatabase } from './postgres.ts';

/** An audit of its own with a sealer, for tests that tamper with it. */
export interface SealedAudit {
  readonly database: TestDatabase;
  readonly sealer: Sealer;
  readonly headsDir: string;
  readonly jwk: ReturnType<typeof makeAuditKey>;
  /** Connection of the owner of the tables. */
  readonly owner: Client;
  /** Rows of reads, spread over the last `minutes`, `ago` minutes back; each of 0 to 5 persons. */
  readonly write: (rows: number, minutes?: number, ago?: number) => Promise<void>;
  readonly verify: (client?: Client) => Promise<Verified>;
  close(): Promise<void>;
}

export function queryOf(client: Client): Query {
  return async <Row extends object>(text: string, values: readonly unknown[] = []) =>
    (await client.query<Row & Record<string, unknown>>(text, [...values])).rows;
}

export async function openSealedAudit(): Promise<SealedAudit> {
  const database = await createTestDatabase();
  const headsDir = mkdtempSync(join(tmpdir(), 'hub-heads-'));
  const jwk = makeAuditKey();
  const sealer = await openSealer({ url: database.roles.sealer, key: auditKey(jwk), headsDir });
  const owner = new Client({ connectionString: database.ownerUrl });
  await owner.connect();
  return {
    database,
    sealer,
    headsDir,
    jwk,
    owner,
    async write(rows, minutes = 5, ago = 0) {
      await owner.query(
        `insert into hub.audit_event (id, at, principal, principal_kind, principal_name, role, unit_no, purpose, action, subgraph, subjects, fields,
           subject_count, operation, trace_id, detail)
         select uuidv7(), clock_timestamp() - make_interval(secs => 60 * ($3 + $2 * (1 - n::float8 / $1)) + 0.001), 'p' || n % 7, 'ACCOUNT', 'Tên ' || n % 7,
           'clerk', 1 + n % 5, 'TREAT', 'citizen.read', 'citizens', array(select gen_random_uuid() from generate_series(1, n % 6)),
           array['Citizen.fullName', 'Citizen.phone'], n % 6, 'Q' || n, md5(n::text), case when n % 3 = 0 then jsonb_build_object('n', n) end
         from generate_series(1, $1::int) n`,
        [rows, minutes, ago],
      );
    },
    verify: (client = owner) =>
      verifyAudit({ queries: [queryOf(client)], keys: auditPublicKeys([jwk]), headsDirs: [headsDir], sealing: true }),
    async close() {
      await sealer.close();
      await owner.end();
      await database.close();
      rmSync(headsDir, { recursive: true, force: true });
    },
  };
}
