import type { Caller } from '#kernel/auth/principal.ts';
import type { Importing, ImportReport, Progressing } from '#kernel/imports/import-run.ts';
import { withClient } from './database.ts';

/* Files that come in, in tests. */

export const watching: Progressing = { signal: AbortSignal.any([]), progress: () => undefined };

/** The account of a caller: each page of an import asks whether it still stands. */
export async function standing(ownerUrl: string, { principal }: Caller): Promise<void> {
  await withClient(ownerUrl, async (client) => {
    await client.query(`select set_config('hub.scope', '{(,)}', false)`);
    await client.query('insert into organisation.account (id, login, name, unit_no, role) values ($1, $2, $3, $4, $5)', [
      principal.id,
      principal.id,
      principal.name,
      principal.unitNo,
      principal.role,
    ]);
  });
}

/** Opens and applies; a file that is refused as a whole throws its reason. Sums of a whole import must add up. */
export async function importFile(importing: Importing, bytes: Buffer, watch: Partial<Progressing> = {}): Promise<ImportReport> {
  const opened = await importing.open({ bytes, name: null });
  if (!opened.ok) throw new Error(opened.error.reason);
  const report = await importing.apply(opened.value, { ...watching, ...watch });
  const { total, added, changed, unchanged, waiting, refused } = report;
  if (report.complete && added + changed + unchanged + waiting + refused !== total) throw new Error('the sums do not add up');
  return report;
}
