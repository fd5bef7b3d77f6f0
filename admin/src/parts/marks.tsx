import type { ReactNode } from 'react';
import type { FieldState } from '../api/generated/graph.ts';
import { useSay } from '../i18n/words.ts';

export type MarkKind = FieldState | 'CONFLICT';

/** A conflict weighs more than what the field would be without it. */
export function markOf({ status, conflict }: { readonly status: FieldState; readonly conflict: boolean }): MarkKind {
  return conflict ? 'CONFLICT' : status;
}

export const markShapes: Readonly<Record<MarkKind, string>> = { GREEN: '●', YELLOW: '◐', RED: '○', CONFLICT: '≠' };

/** Shape, colour and word together: none of them alone carries the meaning. */
export function Mark({ kind, count }: { readonly kind: MarkKind; readonly count?: number }): ReactNode {
  const say = useSay();
  return (
    <span className={`mark mark-${kind.toLowerCase()}`}>
      {count === undefined ? null : <b className="figures">{count}</b>}
      <span aria-hidden="true" className="shape">
        {markShapes[kind]}
      </span>
      <span className="word">{say(`mark.${kind}`)}</span>
    </span>
  );
}
