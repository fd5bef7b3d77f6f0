/*
 * Which letters of a name the typed text matched, tones or no tones: both are folded letter by letter, so that a place in the folded
 * text leads back to a place in the name.
 */

const folded: Readonly<Record<string, string>> = { đ: 'd', ð: 'd', ø: 'o', ł: 'l', ı: 'i', ƀ: 'b' };

function foldLetter(letter: string): string {
  const base = letter
    .normalize('NFD')
    .replace(/\p{Mn}/gu, '')
    .toLowerCase();
  return folded[base] ?? base;
}

export interface Piece {
  readonly text: string;
  readonly hit: boolean;
}

/** The name in pieces; a hit begins where a word begins, as the hub searches. */
export function matchedPieces(name: string, typed: string): readonly Piece[] {
  const letters = Array.from(name.normalize('NFC'));
  const folds = letters.map(foldLetter);
  const wanted = Array.from(typed.normalize('NFC').trim().replace(/\s+/g, ' ')).map(foldLetter).join('');
  if (wanted === '') return [{ text: name, hit: false }];
  for (let start = 0; start < letters.length; start += 1) {
    if (start > 0 && letters[start - 1] !== ' ') continue;
    let end = start;
    let got = '';
    while (end < letters.length && got.length < wanted.length) {
      got += folds[end] ?? '';
      end += 1;
    }
    if (got !== wanted) continue;
    return [
      { text: letters.slice(0, start).join(''), hit: false },
      { text: letters.slice(start, end).join(''), hit: true },
      { text: letters.slice(end).join(''), hit: false },
    ].filter(({ text }) => text !== '');
  }
  return [{ text: name, hit: false }];
}
