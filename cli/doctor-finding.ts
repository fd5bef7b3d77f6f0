import type { Client } from 'pg';
import type { Wording } from './verb.ts';

export interface Finding {
  readonly check: string;
  readonly state: 'ok' | 'warning' | 'error';
  readonly found: Wording;
  readonly advice: Wording | null;
}

export interface Bad {
  readonly state: 'warning' | 'error';
  readonly advice: Wording;
}

export const said = (check: string, found: Wording, bad: Bad | null): Finding => ({
  check,
  state: bad?.state ?? 'ok',
  found,
  advice: bad?.advice ?? null,
});

/** The worse of two limits that is passed. */
export function beyond(value: number, warn: number, fail: number, advice: Wording): Bad | null {
  if (value > fail) return { state: 'error', advice };
  return value > warn ? { state: 'warning', advice } : null;
}

export async function one<Row extends object>(owner: Client, text: string, values: readonly unknown[] = []): Promise<Row> {
  const { rows } = await owner.query<Row>(text, [...values]);
  const [row] = rows;
  if (row === undefined) throw new Error('no row');
  return row;
}
