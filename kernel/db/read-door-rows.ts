import { compileFunction } from 'node:vm';
import type { Column, RowCells } from './wire-reader.ts';

/** How a column of one row is read from the text that PostgreSQL sends. `null` never reaches a decoder. */
type Decode = (text: string) => unknown;

export type RowReader = (cells: RowCells) => Readonly<Record<string, unknown>>;

const instant = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?\+00$/;

/**
 * `2026-11-24 03:00:00.123456+00` → `2026-11-24T03:00:00.123Z`. The microseconds are cut, so a cursor over instants must carry
 * a text column of its own. What no such text can say (infinity, years beyond 9999) stays as PostgreSQL wrote it.
 */
export function instantText(text: string): string {
  const parts = instant.exec(text);
  if (parts === null) return text;
  return `${parts[1] ?? ''}T${parts[2] ?? ''}.${(parts[3] ?? '').slice(0, 3).padEnd(3, '0')}Z`;
}

/** Array literal → values; nested arrays come as nested arrays. */
export function arrayReader(decode: Decode | null): Decode {
  return (text) => {
    if (text === '{}') return [];
    // Almost all arrays hold numbers, uuids or words: no quotes, no nesting, nothing to escape.
    if (!/["\\{]/.test(text.slice(1))) {
      return text
        .slice(1, -1)
        .split(',')
        .map((item) => (item === 'NULL' ? null : decode === null ? item : decode(item)));
    }
    return readArray(text, decode);
  };
}

function readArray(text: string, decode: Decode | null): unknown[] {
  let at = text.indexOf('{') + 1; // a literal may begin with its bounds: [0:2]={…}
  const list = (): unknown[] => {
    const items: unknown[] = [];
    while (at < text.length && text[at] !== '}') {
      if (text[at] === ',') at += 1;
      else if (text[at] === '{') {
        at += 1;
        items.push(list());
      } else if (text[at] === '"') items.push(value(quoted()));
      else {
        const end = /[,}]/.exec(text.slice(at))?.index ?? text.length - at;
        const item = text.slice(at, at + end);
        at += end;
        items.push(item === 'NULL' ? null : value(item));
      }
    }
    at += 1;
    return items;
  };
  const value = (item: string): unknown => (decode === null ? item : decode(item));
  const quoted = (): string => {
    let item = '';
    for (at += 1; at < text.length && text[at] !== '"'; at += 1) {
      if (text[at] === '\\') at += 1;
      item += text[at] ?? '';
    }
    at += 1;
    return item;
  };
  return list();
}

const bool: Decode = (text) => text === 't';
const json: Decode = (text): unknown => JSON.parse(text);

/** Types whose text is ASCII: truth, numbers, uuids, days, instants, and lists of such. */
const plainTypes = new Set([
  16, 20, 21, 23, 26, 700, 701, 1700, 2950, 1082, 1114, 1184, 1000, 1005, 1007, 1016, 1021, 1022, 1231, 2951, 1182, 1185,
]);

/** By type number of PostgreSQL; a type that is not here is handed on as text. */
const decoders = new Map<number, Decode>([
  [16, bool],
  [20, Number], // int8: counts and ordinals, all far below 2^53
  [21, Number],
  [23, Number],
  [700, Number],
  [701, Number],
  [114, json],
  [3802, json],
  [1184, instantText],
  [1000, arrayReader(bool)],
  [1005, arrayReader(Number)],
  [1007, arrayReader(Number)],
  [1016, arrayReader(Number)],
  [1021, arrayReader(Number)],
  [1022, arrayReader(Number)],
  [199, arrayReader(json)],
  [3807, arrayReader(json)],
  [1185, arrayReader(instantText)],
  [1009, arrayReader(null)], // text
  [1015, arrayReader(null)], // varchar
  [1014, arrayReader(null)], // char
  [2951, arrayReader(null)], // uuid
  [1182, arrayReader(null)], // date
  [1231, arrayReader(null)], // numeric
  [1001, arrayReader(null)], // bytea
]);

/**
 * One closure per prepared statement that turns the cells of a row into a plain object. It is compiled as a literal, so that all
 * rows of a statement share one hidden class. `skip` leaves out leading columns (the key).
 */
export function rowReader(columns: readonly Column[], skip: number): RowReader {
  const used: Decode[] = [];
  const properties = columns.slice(skip).map(({ name, dataTypeID }, index) => {
    // In a literal a plain "__proto__" would set the prototype; in brackets it is a property like others.
    const key = name === '__proto__' ? '["__proto__"]' : JSON.stringify(name);
    const cell = `cells.${plainTypes.has(dataTypeID) ? 'plain' : 'text'}(${index + skip})`;
    const decode = decoders.get(dataTypeID);
    if (decode === undefined) return `${key}: ${cell}`;
    const nth = used.push(decode) - 1;
    return `${key}: (text = ${cell}) === null ? null : decode${nth}(text)`;
  });
  const names = used.map((_, nth) => `decode${nth}`);
  const make = compileFunction(`let text; return (cells) => ({ ${properties.join(', ')} });`, names) as (
    ...decode: Decode[]
  ) => RowReader;
  return make(...used);
}

/** Texts → array literal, each one quoted: whatever a caller sends stays one element. */
export function textArray(items: Iterable<string | null>): string {
  let text = '';
  for (const item of items) {
    if (text !== '') text += ',';
    if (item === null) text += 'NULL';
    else if (item.includes('"') || item.includes('\\')) text += `"${item.replace(/["\\]/g, '\\$&')}"`;
    else text += `"${item}"`;
  }
  return `{${text}}`;
}
