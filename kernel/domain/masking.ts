/**
 * How a field of a person is shown to who may not see it in clear: one table, from which both the TypeScript and the SQL are
 * made, so that an answer built in PostgreSQL and one built in Node show the same. How many bullets a field has does not depend
 * on the value: its length is nobody's business either.
 */

const bullet = '•';
const hidden = bullet.repeat(5);
const few = bullet.repeat(3);

type Pattern =
  /** So many characters of either end stay; a value not longer than both together is hidden whole. */
  | { readonly kind: 'ends'; readonly start: number; readonly between: string; readonly end: number }
  /** First letter and domain stay. */
  | { readonly kind: 'email' }
  /** `038•••••0001.KQ.G18.000010.•••••`: owner masked, type of the paper in clear, number of the paper hidden. */
  | { readonly kind: 'resultCode' };

const personalNumber = { kind: 'ends', start: 3, between: hidden, end: 4 } as const;

export const maskPatterns = {
  personalId: personalNumber,
  oldIdNumber: { kind: 'ends', start: 0, between: hidden, end: 3 },
  /** A number of any system: shows no more than the pattern of its own field would. */
  identifier: { kind: 'ends', start: 0, between: hidden, end: 3 },
  phone: { kind: 'ends', start: 4, between: few, end: 3 },
  email: { kind: 'email' },
  cardNumber: { kind: 'ends', start: 3, between: hidden, end: 4 },
  resultCode: { kind: 'resultCode' },
} as const satisfies Readonly<Record<string, Pattern>>;
export type MaskedFieldName = keyof typeof maskPatterns;

/** A value with a bullet was masked by us; sent back, it must never be taken for data. No value object holds that character. */
export function holdsMask(text: string): boolean {
  return text.includes(bullet);
}

export function mask(field: MaskedFieldName, text: string): string {
  return maskBy(maskPatterns[field], text);
}

/** SQL of the same; `column` is a column or expression of type text, repeated in the result. NULL stays NULL. */
export function maskSql(field: MaskedFieldName, column: string): string {
  return maskSqlBy(maskPatterns[field], column);
}

function maskBy(pattern: Pattern, text: string): string {
  switch (pattern.kind) {
    case 'ends': {
      const letters = Array.from(text); // code points, as PostgreSQL counts
      if (letters.length <= pattern.start + pattern.end) return hidden;
      return letters.slice(0, pattern.start).join('') + pattern.between + letters.slice(letters.length - pattern.end).join('');
    }
    case 'email': {
      const at = text.indexOf('@');
      if (at < 1) return hidden;
      return (Array.from(text)[0] ?? '') + hidden + text.slice(at);
    }
    case 'resultCode': {
      const [owner = '', mark = '', agency = '', serial = '', number = ''] = text.split('.');
      if (serial === '') return hidden;
      const shown = `${maskBy(personalNumber, owner)}.${mark}.${agency}.${serial}`;
      return number === '' ? shown : `${shown}.${hidden}`;
    }
  }
}

function maskSqlBy(pattern: Pattern, column: string): string {
  switch (pattern.kind) {
    case 'ends':
      return (
        `case when length(${column}) <= ${String(pattern.start + pattern.end)} then '${hidden}' ` +
        `else left(${column}, ${String(pattern.start)}) || '${pattern.between}' || right(${column}, ${String(pattern.end)}) end`
      ).replace(` left(${column}, 0) ||`, '');
    case 'email':
      return (
        `case when strpos(${column}, '@') = 1 or (strpos(${column}, '@') = 0 and ${column} is not null) then '${hidden}' ` +
        `else left(${column}, 1) || '${hidden}' || substr(${column}, strpos(${column}, '@')) end`
      );
    case 'resultCode': {
      const part = (n: number): string => `split_part(${column}, '.', ${String(n)})`;
      return (
        `case when ${part(4)} = '' then '${hidden}' ` +
        `else (${maskSqlBy(personalNumber, part(1))}) || '.' || ${part(2)} || '.' || ${part(3)} || '.' || ${part(4)} ` +
        `|| case when ${part(5)} = '' then '' else '.${hidden}' end end`
      );
    }
  }
}
