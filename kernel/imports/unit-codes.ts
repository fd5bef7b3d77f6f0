import type { ImportPage } from './import-kind.ts';

/** Units in force by their codes, as far as they are the sender's. */
export async function unitsByCode(
  { tx, units }: Pick<ImportPage, 'tx' | 'units'>,
  codes: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const found = await tx.query<{ readonly code: string; readonly number: number }>(
    `select code, number from hub.unit where code = any ($1::text[]) and valid_to is null and coalesce(number <@ $2::int4multirange, false)`,
    [[...new Set(codes)], units],
  );
  return new Map(found.map(({ code, number }) => [code, number]));
}
