import { useState, type KeyboardEvent, type ReactNode } from 'react';
import type { PersonFound } from '../api/data-provider.ts';
import { partialDay } from '../format.ts';
import { useSay } from '../i18n/words.ts';
import { Matched } from '../parts/matched.tsx';
import { useAsk } from '../parts/use-hub.ts';
import { whatIsWanted } from '../shell/search-kind.ts';

interface PersonChoiceProps {
  readonly id: string;
  /** Id of the person, or empty. */
  readonly value: string;
  readonly told: string | undefined;
  readonly onChange: (id: string) => void;
}

/** Finds the person that a new record belongs to, by name or by whole number. */
export function PersonChoice({ id, value, told, onChange }: PersonChoiceProps): ReactNode {
  const say = useSay();
  const [typed, setTyped] = useState('');
  const [at, setAt] = useState(0);
  const wanted = whatIsWanted(typed);
  const { data: chosen } = useAsk(['name-of', value], (hub, asked) => hub.personOf(value, asked), { enabled: value !== '' });
  const { data: found } = useAsk<readonly PersonFound[]>(
    ['search', wanted],
    async (hub, asked) => {
      if (wanted.kind === 'name') return hub.findNames(wanted.text, asked);
      const person = wanted.kind === 'person' ? await hub.findPerson(wanted.number, asked) : null;
      return person === null ? [] : [person];
    },
    { enabled: value === '' && (wanted.kind === 'name' || wanted.kind === 'person'), keep: true },
  );
  if (value !== '') {
    return (
      <p className="chosen" id={id}>
        <strong>{chosen?.fullName ?? '…'}</strong>
        <span className="figures">{partialDay(chosen?.dateOfBirth ?? null)}</span>
        <span className="quiet">{chosen?.orgUnit.name}</span>
        <button type="button" className="link" onClick={() => onChange('')}>
          {say('form.otherPerson')}
        </button>
      </p>
    );
  }
  const hits = typed === '' ? [] : (found ?? []);
  const onKey = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing || hits.length === 0) return;
    const hit = hits[at];
    if (event.key === 'ArrowDown') setAt(Math.min(hits.length - 1, at + 1));
    else if (event.key === 'ArrowUp') setAt(Math.max(0, at - 1));
    else if (event.key === 'Enter' && hit !== undefined) onChange(hit.id);
    else return;
    event.preventDefault();
  };
  return (
    <>
      <input
        id={id}
        name="person"
        type="text"
        role="combobox"
        autoComplete="off"
        spellCheck={false}
        aria-describedby={told}
        aria-expanded={hits.length > 0}
        aria-controls={`${id}hits`}
        aria-activedescendant={hits.length > 0 ? `${id}hit${at}` : undefined}
        placeholder={say('form.findPerson')}
        value={typed}
        onChange={(event) => {
          setTyped(event.target.value);
          setAt(0);
        }}
        onKeyDown={onKey}
      />
      <ul id={`${id}hits`} role="listbox" aria-label={say('form.findPerson')} className="hits" hidden={hits.length === 0}>
        {hits.map((person, index) => (
          <li
            key={person.id}
            id={`${id}hit${index}`}
            role="option"
            aria-selected={index === at}
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => onChange(person.id)}
          >
            <strong>
              <Matched name={person.fullName} typed={wanted.kind === 'name' ? wanted.text : ''} />
            </strong>
            <span className="figures">{partialDay(person.dateOfBirth)}</span>
            <span className="figures">{person.personalId}</span>
            <span className="quiet">{person.orgUnit.name}</span>
          </li>
        ))}
      </ul>
    </>
  );
}
