/** Values of one change by the graph's names of the fields: what stood there, what stands now. */
export type Side = Record<string, string | null>;

export interface Sides {
  readonly before: Side;
  readonly after: Side;
}

/** Writes what was stated and differs; a field that was not stated stays. */
export function writeStated<Name extends string>(
  record: Partial<Record<Name, string | null | undefined>>,
  names: readonly Name[],
  values: Readonly<Partial<Record<Name, string | null>>>,
): Sides {
  const before: Side = {};
  const after: Side = {};
  for (const name of names) {
    const value = values[name];
    const old = record[name] ?? null;
    if (value === undefined || value === old) continue;
    before[name] = old;
    after[name] = value;
    record[name] = value;
  }
  return { before, after };
}

/** What a new record holds, without the fields that have no value. */
export function stands(after: Side): Side {
  return Object.fromEntries(Object.entries(after).filter(([, value]) => value !== null));
}
