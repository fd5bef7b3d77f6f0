import type { Client } from 'pg';

/** Tables from which nothing is deleted: a restored copy can only have as many rows as the backup saw, or more. */
const tables = [
  'hub.unit',
  'citizens.citizen',
  'insurance.card',
  'results.result',
  'slips.document',
  'slips.referral_slip',
  'slips.reexamination_slip',
  'organisation.account',
  'organisation.client',
] as const;

/** As the administrator, whom no row policy binds. */
export async function rowCounts(session: Client): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {};
  for (const table of tables) {
    const { rows: known } = await session.query<{ there: boolean }>(`select to_regclass($1) is not null as there`, [table]);
    if (known[0]?.there !== true) continue;
    const { rows } = await session.query<{ count: string }>(`select count(*)::text as count from ${table}`);
    counts[table] = Number(rows[0]?.count ?? 0);
  }
  return counts;
}
