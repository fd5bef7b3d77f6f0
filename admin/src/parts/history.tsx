import type { ReactNode } from 'react';
import type { UndoResource } from '../api/mutations.ts';
import type { Change, Principal } from '../api/records.ts';
import type { Permission } from '../api/rights.ts';
import { day, instant } from '../format.ts';
import { vi } from '../i18n/vi.ts';
import { Undo } from './undo.tsx';
import { usePrincipal } from './use-principal.ts';
import { roleWord, useSay, word, type Say } from '../i18n/words.ts';

/** An account's name is not in the graph of changes; what is no opaque id is a word of the hub's own. */
const opaque = /^[0-9a-f]{8}-/;

function whoOf(say: Say, who: string, me: Principal | undefined): string {
  if (who === me?.id) return me.name;
  if (who === 'schedule') return say('history.by.schedule');
  // What the hub's own machine did is written as the verb that did it.
  if (who.startsWith('hub ')) return roleWord(say, 'cli');
  return opaque.test(who) ? who.slice(0, 8) : who;
}

export interface Undoing {
  readonly resource: UndoResource;
  readonly permission: Permission;
  /** Of the record, as it stands now. */
  readonly version: number;
}

/** Latest first: what changed, from what to what, when the hub learned it, from when it is true. */
export function HistoryTable({
  changes,
  empty,
  undoing,
}: {
  readonly changes: readonly Change[];
  readonly empty: string;
  readonly undoing?: Undoing | undefined;
}): ReactNode {
  const say = useSay();
  const me = usePrincipal();
  if (changes.length === 0) return <p className="quiet">{empty}</p>;
  return (
    <ol className="history">
      {[...changes].reverse().map((change) => (
        <li key={change.id}>
          <p className="history-head">
            <span className="figures">{instant(change.knownAt)}</span>
            <strong>{word(say, 'cause', change.cause)}</strong>
            <span>{whoOf(say, change.who, me)}</span>
            <span className="quiet">
              {say('history.version', { version: change.version })}
              {change.trueFrom === null ? null : ` · ${say('history.trueFrom', { date: day(change.trueFrom) })}`}
            </span>
            {undoing === undefined || change.before === null ? null : <Undo change={change} undoing={undoing} />}
          </p>
          {change.before === null && (change.after?.length ?? 0) > 3 ? (
            <details>
              <summary>{say('history.first', { smart_count: change.after?.length ?? 0 })}</summary>
              <ChangedFields change={change} />
            </details>
          ) : (
            <ChangedFields change={change} />
          )}
        </li>
      ))}
    </ol>
  );
}

const isoDay = /^\d{4}(?:-\d{2}){0,2}$/;

/** A value as the screens write it: closed lists in words, dates as dates. */
function shown(say: Say, field: string, value: string | null | undefined): string {
  if (value === null || value === undefined || value === '') return say('history.nothing');
  switch (field) {
    case 'gender':
      return word(say, 'gender', value);
    case 'lifeStatus':
      return word(say, 'lifeStatus', value);
    case 'issuer':
      return word(say, 'cardIssuer', value);
    case 'fileState':
      return word(say, 'fileState', value);
    case 'origin':
      return word(say, 'slipOrigin', value);
    case 'kind':
      return word(say, 'resultKind', value);
    case 'state':
      return word(say, 'resultState', value);
    case 'status':
      return value in vi.enum.cardStatus ? word(say, 'cardStatus', value) : word(say, 'slipStatus', value);
    default:
      return isoDay.test(value) && field !== 'ethnicity' ? day(value) : value;
  }
}

function ChangedFields({ change }: { readonly change: Change }): ReactNode {
  const say = useSay();
  const before = new Map((change.before ?? []).map(({ field, value }) => [field, value]));
  const after = new Map((change.after ?? []).map(({ field, value }) => [field, value]));
  const fields = [...new Set([...before.keys(), ...after.keys()])].filter((field) => before.get(field) !== after.get(field));
  if (fields.length === 0) return null;
  return (
    <dl className="changed">
      {fields.map((field) => (
        <div key={field}>
          <dt>{word(say, 'changeField', field)}</dt>
          <dd>
            {before.has(field) ? <del>{shown(say, field, before.get(field))}</del> : null}
            <ins>{shown(say, field, after.get(field))}</ins>
          </dd>
        </div>
      ))}
    </dl>
  );
}
