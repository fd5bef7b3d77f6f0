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

/**
 * The name in pieces as the hub searches: the typed words stand in it in their order, with others between them or none, all of them whole
 * but the last, of which the start may be enough.
 */
export function matchedPieces(name: string, typed: string): readonly Piece[] {
  const words = name.normalize('NFC').split(' ');
  const wanted = fold(typed.normalize('NFC')).trim().split(/\s+/);
  const pieces: Piece[] = [];
  let next = 0;
  for (const [index, word] of words.entries()) {
    const looked = wanted[next] ?? '';
    const isLast = next === wanted.length - 1;
    const length = looked === '' ? 0 : isLast ? lettersOf(word, looked) : fold(word) === looked ? word.length : 0;
    // The blank between two marked words is marked with them.
    if (index > 0) pieces.push({ text: ' ', hit: length > 0 && pieces.at(-1)?.hit === true });
    pieces.push({ text: word.slice(0, length), hit: true }, { text: word.slice(length), hit: false });
    if (pieces.at(-1)?.text === '') pieces.pop();
    if (length > 0) next += 1;
  }
  const found = next === wanted.length;
  return found ? joined(pieces) : [{ text: name, hit: false }];
}

/** How much of a word folds to this start; 0: it begins otherwise. */
function lettersOf(word: string, start: string): number {
  let got = '';
  let length = 0;
  for (const letter of word) {
    if (got.length >= start.length) break;
    got += foldLetter(letter);
    length += letter.length;
  }
  return got === start ? length : 0;
}

function fold(text: string): string {
  return Array.from(text).map(foldLetter).join('');
}

/** Neighbours of one kind as one piece. */
function joined(pieces: readonly Piece[]): readonly Piece[] {
  const whole: Piece[] = [];
  for (const piece of pieces.filter(({ text }) => text !== '')) {
    const last = whole.at(-1);
    if (last?.hit === piece.hit) whole[whole.length - 1] = { text: last.text + piece.text, hit: last.hit };
    else whole.push(piece);
  }
  return whole;
}
