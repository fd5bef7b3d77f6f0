import Button from '@mui/material/Button';
import { useId, useState, type ReactNode } from 'react';
import { day } from '../format.ts';
import { useSay, type Say } from '../i18n/words.ts';
import { prefer, preferences } from '../shell/preferences.ts';
import { usePreferences } from '../shell/use-preferences.ts';
import { readChoices, readOrder, type Choice } from './choices.ts';
import { DayInput } from '../parts/day-input.tsx';
import type { ListScreen } from './screen.ts';
import { flatUnits, useUnits, type UnitLine } from './units.ts';
import type { ListState } from './use-list.ts';

/** How the list is filtered, in words as well as in controls; a filter of choices can be kept and come back to. */
export function Filters<Row>({ screen, list }: { readonly screen: ListScreen<Row>; readonly list: ListState<Row> }): ReactNode {
  const say = useSay();
  const id = useId();
  const [open, setOpen] = useState(false);
  const units = flatUnits(useUnits());
  const { choices, text, resource } = screen;
  const hint = text?.ask(list.typed) ?? null;
  const words = filterWords(say, choices, list.chosen, units);
  const saved = usePreferences().filters[resource] ?? [];
  const keep = (next: readonly string[]): void => prefer({ filters: { ...preferences().filters, [resource]: next } });
  if (choices.length === 0 && text === undefined) return null;

  return (
    <section className={open ? 'filters open' : 'filters'} aria-label={say('list.filters')}>
      <div className="controls">
        {text === undefined ? null : (
          <div className="control grow">
            <label htmlFor={`${id}text`}>{say(text.label)}</label>
            <input
              id={`${id}text`}
              type="text"
              autoComplete="off"
              spellCheck={false}
              value={list.typed}
              onChange={(event) => list.type(event.target.value)}
            />
          </div>
        )}
        {choices.length === 0 ? null : (
          <button type="button" className="open-filters" aria-expanded={open} onClick={() => setOpen(!open)}>
            {say('list.filters')}
          </button>
        )}
        {choices.map((choice) => (
          <Control
            key={choice.key}
            id={`${id}${choice.key}`}
            choice={choice}
            value={list.chosen[choice.key] ?? ''}
            units={units}
            onChange={(value) => list.choose({ [choice.key]: value })}
          />
        ))}
      </div>
      <div className="filter-words">
        <p>
          {hint !== null && 'hint' in hint ? `${say(hint.hint)} ` : ''}
          {words === '' ? say('list.everything', { name: say(`title.${resource}`).toLowerCase() }) : say('list.where', { words })}
        </p>
        {words === '' ? null : (
          <>
            <Button size="small" onClick={() => list.open('')}>
              {say('list.clear')}
            </Button>
            {saved.includes(list.query) ? null : (
              <Button size="small" onClick={() => keep([...saved, list.query].slice(-12))}>
                {say('list.save')}
              </Button>
            )}
          </>
        )}
      </div>
      {saved.length === 0 ? null : (
        <ul className="saved" aria-label={say('list.saved')}>
          {saved.map((query) => {
            const name = filterWords(say, choices, readChoices(choices, query), units) || say('list.all');
            const order = readOrder(
              screen.columns.flatMap(({ sort }) => sort ?? []),
              query,
            );
            return (
              <li key={query}>
                <button type="button" aria-pressed={query === list.query} onClick={() => list.open(query)}>
                  {name}
                  {order === null ? '' : ` ${order.order === 'ASC' ? '↑' : '↓'}`}
                </button>
                <button
                  type="button"
                  aria-label={`${say('list.remove')}: ${name}`}
                  onClick={() => keep(saved.filter((one) => one !== query))}
                >
                  ×
                </button>
              </li>
            );
          })}
        </ul>
      )}
    </section>
  );
}

function filterWords(
  say: Say,
  choices: readonly Choice[],
  chosen: Readonly<Record<string, string>>,
  units: readonly UnitLine[],
): string {
  return choices
    .flatMap((choice) => {
      const value = chosen[choice.key];
      return value === undefined ? [] : `${say(choice.label)}: ${valueWords(say, choice, value, units)}`;
    })
    .join(' · ');
}

function valueWords(say: Say, choice: Choice, value: string, units: readonly UnitLine[]): string {
  switch (choice.kind) {
    case 'enum': {
      const option = choice.options.find((one) => one.value === value);
      return option === undefined ? value : say(option.label);
    }
    case 'unit':
      return units.find((unit) => unit.id === value)?.name ?? value;
    case 'day':
      return day(value);
    case 'id':
    case 'principal':
      return say('filter.one');
    case 'code':
      return value;
  }
}

interface ControlProps {
  readonly id: string;
  readonly choice: Choice;
  readonly value: string;
  readonly units: readonly UnitLine[];
  readonly onChange: (value: string) => void;
}

function Control({ id, choice, value, units, onChange }: ControlProps): ReactNode {
  const say = useSay();
  // Comes by a link and goes with "clear": nobody types an id.
  if (choice.kind === 'id' || choice.kind === 'principal') return null;
  return (
    <div className="control">
      <label htmlFor={id}>{say(choice.label)}</label>
      {choice.kind === 'day' ? (
        <DayInput id={id} value={value} onChange={onChange} />
      ) : choice.kind === 'code' ? (
        <input
          id={id}
          type="text"
          maxLength={5}
          defaultValue={value}
          autoComplete="off"
          onChange={(event) => onChange(event.target.value.toUpperCase())}
        />
      ) : (
        <select id={id} value={value} onChange={(event) => onChange(event.target.value)}>
          <option value="">{say(choice.kind === 'enum' ? (choice.none ?? 'list.all') : 'list.all')}</option>
          {choice.kind === 'enum'
            ? choice.options.map((option) => (
                <option key={option.value} value={option.value}>
                  {say(option.label)}
                </option>
              ))
            : units.map((unit) => (
                <option key={unit.id} value={unit.id}>
                  {'\u2003'.repeat(unit.depth)}
                  {unit.name}
                </option>
              ))}
        </select>
      )}
    </div>
  );
}
