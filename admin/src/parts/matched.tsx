import type { ReactNode } from 'react';
import { matchedPieces } from './match.ts';

/** A name with the letters marked that were searched for. */
export function Matched({ name, typed }: { readonly name: string; readonly typed: string }): ReactNode {
  return matchedPieces(name, typed).map(({ text, hit }, index) =>
    hit ? <mark key={index}>{text}</mark> : <span key={index}>{text}</span>,
  );
}
