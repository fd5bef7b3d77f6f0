import type { TableRow } from '../csv-table.ts';
import type { Parsed } from '../domain/brand.ts';
import { holdsMask } from '../domain/masking.ts';
import type { Reason } from '../errors/catalogue.ts';
import { ok, refused, type Result } from '../result.ts';
import type { RowOutcome, RowProblem } from './import-kind.ts';

/** Reads the cells of one row and collects every reason against it, in the order in which they are asked for. */
export interface RowCells<Column extends string> {
  /** `null`: not stated, or refused. A masked value is refused. */
  stated<Value>(column: Column, parse: (text: string) => Parsed<Value, Reason>): Value | null;
  needed<Value>(column: Column, parse: (text: string) => Parsed<Value, Reason>): Value | null;
  refuse(column: Column, reason: Reason): void;
  /** What was read of it, where nothing speaks against the row. */
  done<Value>(value: Value): Result<Value, RowOutcome>;
}

export function cellReader<Column extends string>({ line, cells }: TableRow<Column>): RowCells<Column> {
  const problems: RowProblem[] = [];
  const stated = <Value>(column: Column, parse: (text: string) => Parsed<Value, Reason>): Value | null => {
    const text = cells?.[column];
    if (text === undefined) return null;
    const parsed: Parsed<Value, Reason> = holdsMask(text) ? { ok: false, reason: 'MASKED_VALUE' } : parse(text);
    if (parsed.ok) return parsed.value;
    problems.push({ field: column, reason: parsed.reason });
    return null;
  };
  return {
    stated,
    needed(column, parse) {
      if (cells?.[column] === undefined) problems.push({ field: column, reason: 'ROW_REQUIRED' });
      return stated(column, parse);
    },
    refuse: (column, reason) => void problems.push({ field: column, reason }),
    done(value) {
      const [first, ...more] = problems;
      return first === undefined ? ok(value) : refused({ line, end: 'REFUSED', problems: [first, ...more] });
    },
  };
}
