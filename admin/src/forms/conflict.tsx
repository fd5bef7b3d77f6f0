import Button from '@mui/material/Button';
import { useState, type ReactNode } from 'react';
import { useSay } from '../i18n/words.ts';
import { differences, type Difference, type Draft, type Values } from './draft.ts';
import { useFieldWords } from './form-field.tsx';
import type { FormGroup } from './form-spec.ts';

interface ConflictProps {
  readonly groups: readonly FormGroup[];
  readonly draft: Draft;
  readonly theirs: Values;
  readonly onMerge: (takeMine: (difference: Difference) => boolean) => void;
}

/** Somebody saved first: mine beside theirs, field by field, and what both kept. Only a clash needs a choice; nothing is chosen beforehand. */
export function Conflict({ groups, draft, theirs, onMerge }: ConflictProps): ReactNode {
  const say = useSay();
  const words = useFieldWords();
  const [taken, setTaken] = useState<Readonly<Record<string, 'mine' | 'theirs'>>>({});
  const shown = groups.flatMap(({ title, fields }) =>
    fields
      .filter(({ aside }) => aside !== true)
      // Parts of an address are called alike.
      .map((field) => ({ ...field, name: field.key.includes('.') ? `${say(title)}: ${say(field.label)}` : say(field.label) })),
  );
  const found = differences(draft, theirs).flatMap((difference) => {
    const field = shown.find(({ key }) => key === difference.key);
    return field === undefined ? [] : [{ ...difference, field }];
  });
  const kept = shown.filter(({ key }) => !found.some((difference) => difference.key === key));
  const open = found.filter(({ key, standing }) => standing === 'clash' && taken[key] === undefined);
  return (
    <section className="block conflict" aria-label={say('conflict.title')} role="alert">
      <h2>{say('conflict.title')}</h2>
      <p>{say('conflict.why')}</p>
      <table className="rows sides" role="table">
        <thead role="rowgroup">
          <tr role="row">
            <th role="columnheader">{say('column.field')}</th>
            <th role="columnheader">{say('conflict.before')}</th>
            <th role="columnheader">{say('conflict.mine')}</th>
            <th role="columnheader">{say('conflict.theirs')}</th>
          </tr>
        </thead>
        <tbody role="rowgroup">
          {found.map(({ key, field, before, mine, theirs: now, standing }) => (
            <tr key={key} role="row">
              <td role="cell" data-label={say('column.field')}>
                {field.name}
              </td>
              <td role="cell" data-label={say('conflict.before')}>
                {words(field, before)}
              </td>
              {(['mine', 'theirs'] as const).map((side) => (
                <td key={side} role="cell" data-label={say(`conflict.${side}`)}>
                  {standing === 'clash' ? (
                    <label className="side">
                      <input
                        type="radio"
                        name={`side-${key}`}
                        checked={taken[key] === side}
                        onChange={() => setTaken({ ...taken, [key]: side })}
                      />
                      {words(field, side === 'mine' ? mine : now)}
                    </label>
                  ) : (
                    <span className={standing === side || standing === 'same' ? 'goes-on' : 'quiet'}>
                      {standing === side || standing === 'same' ? (
                        <>
                          <span aria-hidden="true">✓ </span>
                          {words(field, side === 'mine' ? mine : now)}
                        </>
                      ) : (
                        say('conflict.untouched')
                      )}
                    </span>
                  )}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      <p className="small">{say('conflict.kept', { fields: kept.map(({ name }) => name).join('; ') })}</p>
      <div className="acts">
        <Button variant="contained" disabled={open.length > 0} onClick={() => onMerge(({ key }) => taken[key] === 'mine')}>
          {say('conflict.save')}
        </Button>
        {open.length === 0 ? null : <span className="quiet">{say('conflict.open', { smart_count: open.length })}</span>}
      </div>
    </section>
  );
}
