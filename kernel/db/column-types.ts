import { p, type EntityName } from '@mikro-orm/postgresql';

/*
 * Columns as this hub writes them. Plain dates are text `yyyy-mm-dd` (a JavaScript Date would move them by a zone), instants are
 * Dates in UTC; keys are compared byte by byte (collation "C"), so that a range of an index is a range of the program too.
 */

export const keyText = () => p.text().collation('C');
export const instant = () => p.datetime().columnType('timestamptz');
/** When the database learned of the row or wrote it. */
export const learnedAt = () => instant().defaultRaw('clock_timestamp()');
export const plainDate = () => p.date();
export const textList = () => p.array().columnType('text[]').defaultRaw(`'{}'::text[]`);
/** Made by PostgreSQL, in the order of time. */
export const ownId = () => p.uuid().primary().defaultRaw('uuidv7()');
/** Raised by one with each change; a change on another version is refused. */
export const recordVersion = () => p.integer().version().default(1);

/** Text with a check instead of a PostgreSQL enum: comparisons of enums are not leakproof and never reach an index behind a row policy. */
export function oneOf(name: string, column: string, values: readonly string[]): { name: string; expression: string } {
  return { name, expression: `${column} in (${values.map((value) => `'${value}'`).join(', ')})` };
}

/** The id of another record of the same schema: a foreign key in the database, a plain id in the program. */
export function belongsTo<T extends object>(entity: EntityName<T>, constraint: string, column: string) {
  return p
    .manyToOne(entity)
    .mapToPk()
    .joinColumn(column)
    .foreignKeyName(constraint)
    .updateRule('no action')
    .deleteRule('no action')
    .index(false);
}
