import { useDeferredValue, useId, useState, type KeyboardEvent, type ReactNode, type RefObject } from 'react';
import { useNavigate } from 'react-admin';
import type { Found, HubDataProvider } from '../api/data-provider.ts';
import type { Asked } from '../api/graph.ts';
import { partialDay } from '../format.ts';
import { useSay, word, type Say } from '../i18n/words.ts';
import { rememberText } from '../lists/tab-text.ts';
import { Matched } from '../parts/matched.tsx';
import { Refusal } from '../parts/refusal.tsx';
import { useAsk } from '../parts/use-hub.ts';
import { usePrincipal } from '../parts/use-principal.ts';
import { whatIsWanted, type Wanted } from './search-kind.ts';

async function find(hub: HubDataProvider, wanted: Wanted, asked: Asked): Promise<readonly Found[]> {
  switch (wanted.kind) {
    case 'name':
      return (await hub.findNames(wanted.text, asked)).map((person) => ({ kind: 'person', person }));
    case 'person': {
      const person = await hub.findPerson(wanted.number, asked);
      return person === null ? [] : [{ kind: 'person', person }];
    }
    case 'card': {
      const card = await hub.findCard(wanted.number, asked);
      return card === null ? [] : [{ kind: 'card', card }];
    }
    case 'result': {
      const result = await hub.findResult(wanted.code, asked);
      return result === null ? [] : [{ kind: 'result', result }];
    }
    case 'nothing':
    case 'short':
    case 'masked':
    case 'odd':
      return [];
  }
}

const searched = new Set<Wanted['kind']>(['name', 'person', 'card', 'result']);

function addressOf(found: Found): string {
  switch (found.kind) {
    case 'person':
      return `/citizens/${found.person.id}/show`;
    case 'card':
      return `/cards/${found.card.id}/show`;
    case 'result':
      return `/results/${found.result.id}/show`;
  }
}

/** The hint below the box: what it takes the text for, or why it does not search. */
function hintOf(say: Say, wanted: Wanted): string {
  switch (wanted.kind) {
    case 'nothing':
      return '';
    case 'short':
      return say('search.short');
    case 'masked':
      return say('search.masked');
    case 'odd':
      return say('search.odd', { smart_count: wanted.digits });
    case 'person':
      return say(wanted.scanned ? 'search.as.qr' : 'search.as.person');
    case 'card':
    case 'result':
    case 'name':
      return say(`search.as.${wanted.kind}`);
  }
}

/** One box for everything. What is typed stays in this tab and travels in the body of a request, never in an address. */
export function SearchBox({ input }: { readonly input: RefObject<HTMLInputElement | null> }): ReactNode {
  const say = useSay();
  const navigate = useNavigate();
  const principal = usePrincipal();
  const id = useId();
  const [typed, setTyped] = useState('');
  const [open, setOpen] = useState(false);
  const [chosen, setChosen] = useState(0);
  const wanted = whatIsWanted(useDeferredValue(typed));
  const asks = searched.has(wanted.kind);
  const { data, isFetching, error, refetch } = useAsk(['search', wanted], (hub, asked) => find(hub, wanted, asked), {
    enabled: asks && open,
    keep: true,
  });
  const found = asks && open ? (data ?? []) : [];
  const more = wanted.kind === 'name' && found.length > 0;
  const options = found.length + (more ? 1 : 0);

  if (principal !== undefined && !principal.permissions.includes('citizen:read')) return <div className="search" />;

  const leave = (): void => {
    setOpen(false);
    setTyped('');
    setChosen(0);
    input.current?.blur();
  };
  const openOption = (index: number): void => {
    const hit = found[index];
    if (hit !== undefined) {
      navigate(addressOf(hit));
      leave();
    } else if (wanted.kind === 'name' && found.length > 0) {
      rememberText('citizens', wanted.text);
      navigate('/citizens');
      leave();
    }
  };
  const onKey = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing) return;
    switch (event.key) {
      case 'ArrowDown':
        setChosen((at) => Math.min(options - 1, at + 1));
        break;
      case 'ArrowUp':
        setChosen((at) => Math.max(0, at - 1));
        break;
      case 'Enter':
        openOption(chosen);
        break;
      case 'Escape':
        leave();
        break;
      default:
        return;
    }
    event.preventDefault();
  };

  const shown = open && wanted.kind !== 'nothing';
  return (
    <div className="search" role="search">
      <input
        ref={input}
        type="text"
        role="combobox"
        autoComplete="off"
        autoCorrect="off"
        spellCheck={false}
        aria-label={say('search.label')}
        aria-expanded={shown}
        aria-controls={`${id}list`}
        aria-autocomplete="list"
        aria-activedescendant={shown && options > 0 ? `${id}option${chosen}` : undefined}
        placeholder={say('search.placeholder')}
        value={typed}
        onFocus={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onChange={(event) => {
          setTyped(event.target.value);
          setOpen(true);
          setChosen(0);
        }}
        onKeyDown={onKey}
      />
      <kbd aria-hidden="true">/</kbd>
      <div className="search-found" hidden={!shown}>
        <p className="small" aria-live="polite">
          {hintOf(say, wanted)}
        </p>
        {asks && error !== null ? <Refusal error={error} again={() => void refetch()} /> : null}
        <ul
          id={`${id}list`}
          role="listbox"
          aria-label={say('search.label')}
          aria-busy={isFetching}
          data-text={wanted.kind === 'name' ? wanted.text : undefined}
        >
          {found.map((hit, index) => (
            <li
              key={addressOf(hit)}
              id={`${id}option${index}`}
              role="option"
              aria-selected={index === chosen}
              // The box keeps the focus, so that the list is still there when the button is let go.
              onMouseDown={(event) => event.preventDefault()}
              onClick={() => openOption(index)}
            >
              <FoundLine found={hit} typed={wanted.kind === 'name' ? wanted.text : ''} />
            </li>
          ))}
          {more ? (
            <li
              id={`${id}option${found.length}`}
              role="option"
              aria-selected={chosen === found.length}
              onMouseDown={(event) => event.preventDefault()}
              onClick={() => openOption(found.length)}
            >
              <strong>{say('search.all')}</strong>
            </li>
          ) : null}
        </ul>
        {asks && data?.length === 0 && !isFetching ? <p>{say('search.nothing')}</p> : null}
      </div>
    </div>
  );
}

function FoundLine({ found, typed }: { readonly found: Found; readonly typed: string }): ReactNode {
  const say = useSay();
  switch (found.kind) {
    case 'person': {
      const { fullName, personalId, dateOfBirth, orgUnit } = found.person;
      return (
        <>
          <strong>
            <Matched name={fullName} typed={typed} />
          </strong>
          <span className="figures">{partialDay(dateOfBirth)}</span>
          <span className="figures">{personalId}</span>
          <span className="quiet">{orgUnit.name}</span>
        </>
      );
    }
    case 'card':
      return (
        <>
          <strong className="figures">{found.card.number}</strong>
          <span>{word(say, 'cardStatus', found.card.status)}</span>
          <span>{found.card.citizen?.fullName ?? say('record.waiting')}</span>
        </>
      );
    case 'result':
      return (
        <>
          <strong>{found.result.name}</strong>
          <span className="figures">{found.result.code}</span>
          <span>{found.result.citizen?.fullName ?? say('record.waiting')}</span>
        </>
      );
  }
}
