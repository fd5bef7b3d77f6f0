import type { ReactNode } from 'react';
import type { Change } from '../api/records.ts';
import { day, instant } from '../format.ts';
import { useSay, word, type Say } from '../i18n/words.ts';

/** An account's name is not in the graph of changes; what is no opaque id is a word of the hub's own. */
const opaque = /^[0-9a-f]{8}-/;

function whoOf(say: Say, who: string): string {
  if (who === 'generate' || who === 'schedule') return say(`history.by.${who}`);
  return opaque.test(who) ? who.slice(0, 8) : who;
}

/** Latest first: what changed, from what to what, when the hub learned it, from when it is true. */
export function HistoryTable({ changes, empty }: { readonly changes: readonly Change[]; readonly empty: string }): ReactNode {
  const say = useSay();
  if (changes.length === 0) return <p className="quiet">{empty}</p>;
  return (
    <ol className="history">
      {[...changes].reverse().map((change) => (
        <li key={change.id}>
          <p className="history-head">
            <span className="figures">{instant(change.knownAt)}</span>
            <strong>{word(say, 'cause', change.cause)}</strong>
            <span>{whoOf(say, change.who)}</span>
            <span className="quiet">
              {say('history.version', { version: change.version })}
              {change.trueFrom === null ? null : ` · ${say('history.trueFrom', { date: day(change.trueFrom) })}`}
            </span>
          </p>
          <ChangedFields change={change} />
        </li>
      ))}
    </ol>
  );
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
            {before.has(field) ? <del>{before.get(field) ?? say('history.nothing')}</del> : null}
            <ins>{after.get(field) ?? say('history.nothing')}</ins>
          </dd>
        </div>
      ))}
    </dl>
  );
}
