/*
 * CSV that goes out: RFC 4180, every cell that a spreadsheet would run as a formula is made text by a `'` before it, and quoted; reading it
 * back (csv-table.ts) gives the cell as it was.
 */

/** What `'` at the front of a cell protects: formulas, and blanks that a reader would cut off. */
const formula = /^[=+\-@\t\r]/;

/** A value of ours as a cell. */
export function cellOf(value: string | null, separator: ',' | ';' = ','): string {
  if (value === null) return '';
  return quoted(/^'*[=+\-@\t\r]/.test(value) ? `'${value}` : value, separator);
}

/** A cell of somebody's file once more, to be read as it was read: one that is protected already stays as it is. */
export function sameCell(cell: string, separator: ',' | ';'): string {
  return quoted(formula.test(cell.trimStart()) ? `'${cell.trimStart()}` : cell, separator);
}

export function csvLine(cells: readonly string[], separator: ',' | ';' = ','): string {
  return `${cells.join(separator)}\r\n`;
}

function quoted(text: string, separator: ',' | ';'): string {
  const needs = text.includes(separator) || /["\r\n\t]|^\s|\s$|^'/.test(text);
  return needs ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Before the first line: spreadsheets then read UTF-8. */
export const byteOrderMark = '\ufeff';
