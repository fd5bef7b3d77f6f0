/*
 * The refused rows of a file as a file of their own: header and rows as they were sent, and at the end of each row what to mend. The column of
 * remedies is unknown to the hub, so the mended file is sent as it is.
 */

export interface RefusedRow {
  /** Where the row begins in the file, from 1. */
  readonly line: number;
  readonly message: string;
}

/** Rows of a CSV text by the line they begin in; a quoted cell may hold line breaks. */
function rowsByLine(text: string): ReadonlyMap<number, string> {
  const rows = new Map<number, string>();
  let [begin, line, quoted, row] = [1, 1, false, ''];
  const end = (): void => {
    if (row.replace(/\r$/, '') !== '') rows.set(begin, row.replace(/\r$/, ''));
    row = '';
    begin = line;
  };
  for (const letter of text.replace(/^\uFEFF/, '')) {
    if (letter === '"') quoted = !quoted;
    if (letter === '\n') line += 1;
    if (letter === '\n' && !quoted) end();
    else row += letter;
  }
  end();
  return rows;
}

export function refusedCsv(text: string, separator: string, refused: readonly RefusedRow[], heading: string): string {
  const rows = rowsByLine(text);
  const [header = ''] = rows.values();
  const remedies = new Map<number, string>();
  for (const { line, message } of refused) {
    const before = remedies.get(line);
    remedies.set(line, before === undefined ? message : `${before} ${message}`);
  }
  const quote = (cell: string): string => `"${cell.replaceAll('"', '""')}"`;
  const lines = [...remedies].flatMap(([line, message]) => {
    const row = rows.get(line);
    return row === undefined ? [] : [`${row}${separator}${quote(message)}`];
  });
  return `\uFEFF${[`${header}${separator}${quote(heading)}`, ...lines].map((line) => `${line}\r\n`).join('')}`;
}
