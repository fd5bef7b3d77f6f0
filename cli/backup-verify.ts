import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Client } from 'pg';
import { auditPublicKeys } from '#kernel/audit/heads.ts';
import { verifyAudit } from '#kernel/audit/verify.ts';
import type { Backup } from './backup-manifest.ts';
import { rowCounts } from './backup-counts.ts';
import { installationKeys } from './keys.ts';
import { stopPostgres } from './postgres.ts';
import { recover } from './restore-cluster.ts';
import { measureFile } from './stored-file.ts';
import type { VerbContext, Wording } from './verb.ts';

export interface Verified {
  readonly recoveredTo: string | null;
  readonly rows: Readonly<Record<string, number>>;
  readonly indexes: number;
  /** Rows of the audit whose seal was compared. */
  readonly sealedRows: number;
  readonly problems: readonly Wording[];
}

/**
 * Proof that a backup can be restored: it is, into a scratch folder beside it, to its own end; then rows are counted, indexes compared with
 * their tables, and the audit's chain is followed. Whatever is found wrong is told; the scratch folder is removed.
 */
export async function verifyBackup(
  backup: Backup,
  { settings, signal }: VerbContext,
  progress: (done: number, total: number) => void,
): Promise<Verified> {
  const { manifest, folder } = backup;
  const problems: Wording[] = [];
  for (const [name, wanted] of Object.entries(manifest.files)) {
    // The others are measured while they are restored.
    if (!name.startsWith('wal/')) continue;
    const found = await measureFile(join(folder, name), signal).catch(() => null);
    if (found?.sha256 !== wanted.sha256)
      problems.push({ en: `${name} is damaged or missing.`, vi: `${name} bị hỏng hoặc thiếu.` });
  }
  const scratch = mkdtempSync(join(scratchRoot(folder), 'lien-thong-verify-'));
  try {
    const { postgres, recoveredTo } = await recover({
      backup,
      dataDir: scratch,
      key: manifest.encrypted ? settings.backupKey : null,
      archive: null,
      to: null,
      signal,
      progress,
    });
    try {
      const client = new Client({ connectionString: postgres.administratorUrl, application_name: 'hub backup verify' });
      await client.connect();
      try {
        const rows = await rowCounts(client);
        for (const [table, wanted] of Object.entries(manifest.rows)) {
          const found = rows[table] ?? 0;
          if (found < wanted)
            problems.push({
              en: `${table} has ${found} rows, the backup saw ${wanted}.`,
              vi: `${table} có ${found} dòng, khi sao lưu có ${wanted}.`,
            });
        }
        const indexes = await checkedIndexes(client, problems, signal);
        const { auditKey } = await installationKeys({ ...settings, dataDir: scratch }, signal);
        const audit = await verifyAudit({
          queries: [
            async <Row extends object>(text: string, values: readonly unknown[] = []) =>
              (await client.query<Row & Record<string, unknown>>(text, [...values])).rows,
          ],
          keys: auditPublicKeys([auditKey, ...settings.auditPublicKeys]),
          // A head may have been published between the end of the backup and the copy of its file.
          headsDirs: [],
          sealing: false,
          signal,
        });
        for (const { kind, at } of audit.problems) {
          problems.push({
            en: `The audit is not what was written: ${kind} ${at ?? ''}`,
            vi: `Nhật ký truy cập không còn nguyên: ${kind} ${at ?? ''}`,
          });
        }
        return { recoveredTo, rows, indexes, sealedRows: audit.rows, problems };
      } finally {
        await client.end();
      }
    } finally {
      await postgres.leave(60_000);
    }
  } finally {
    await stopPostgres(scratch).catch(() => undefined);
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Beside the backup there is room for a disk of its own; where that may not be written, the machine's own scratch place. */
function scratchRoot(folder: string): string {
  const beside = dirname(folder);
  try {
    rmSync(mkdtempSync(join(beside, 'lien-thong-verify-')), { recursive: true });
    return beside;
  } catch {
    return tmpdir();
  }
}

/** Every index of the hub's tables: reads all of it and its table, so that damaged pages and missing rows show. */
async function checkedIndexes(client: Client, problems: Wording[], signal: AbortSignal): Promise<number> {
  await client.query('create extension if not exists amcheck schema public');
  const { rows } = await client.query<{ oid: number; name: string }>(`
    select c.oid::int8::int4 as oid, c.oid::regclass::text as name from pg_class c
      join pg_namespace n on n.oid = c.relnamespace join pg_am a on a.oid = c.relam
    where c.relkind = 'i' and a.amname = 'btree' and n.nspname in ('hub','citizens','insurance','results','slips','organisation')
    order by c.relpages`);
  for (const { oid, name } of rows) {
    signal.throwIfAborted();
    try {
      await client.query('select public.bt_index_check($1::int, true)', [oid]);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'error';
      problems.push({
        en: `The index ${name} does not fit its table (${code}).`,
        vi: `Chỉ mục ${name} không khớp với bảng (${code}).`,
      });
    }
  }
  return rows.length;
}
