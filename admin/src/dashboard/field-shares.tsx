import { useId, type ReactNode } from 'react';
import { LinkBase, useLocation, useNavigate } from 'react-admin';
import type { FieldCount } from '../api/data-provider.ts';
import type { CitizenField, FieldState } from '../api/generated/graph.ts';
import { amount, percent } from '../format.ts';
import { useSay, word } from '../i18n/words.ts';
import { readChoices, type Choice } from '../lists/choices.ts';
import { flatUnits, useUnits } from '../lists/units.ts';
import { Mark } from '../parts/marks.tsx';
import { Refusal } from '../parts/refusal.tsx';
import { useAsk } from '../parts/use-hub.ts';
import { usePrincipal } from '../parts/use-principal.ts';

/** The sheet's ten fields, three to a request; the last is asked with two again rather than in a form of its own. */
const groups: readonly (readonly [CitizenField, CitizenField, CitizenField])[] = [
  ['FULL_NAME', 'OLD_ID_NUMBER', 'PERSONAL_ID'],
  ['DATE_OF_BIRTH', 'PHONE', 'GENDER'],
  ['BIRTHPLACE', 'EMAIL', 'NATIVE_PLACE'],
  ['PERMANENT_ADDRESS', 'PHONE', 'EMAIL'],
];
/** 36 counts are a ninth of a person's quota of a minute. Milliseconds. */
const countsFresh = 300_000;
const states: readonly FieldState[] = ['GREEN', 'YELLOW', 'RED'];
const choices: readonly Choice[] = [{ key: 'unit', label: 'filter.unit', kind: 'unit' }];

export function FieldShares(): ReactNode {
  const say = useSay();
  const id = useId();
  const navigate = useNavigate();
  const { search } = useLocation();
  const principal = usePrincipal();
  const units = flatUnits(useUnits()).filter(({ level }) => level !== 'FACILITY');
  const unit = readChoices(choices, search).unit ?? principal?.orgUnit?.id ?? '';
  const { data, error, refetch } = useAsk(
    ['field-counts', unit],
    async (hub, asked) => {
      const [first, second, third, [last]] = (await Promise.all(
        groups.map((fields) => hub.fieldCounts(unit, fields, asked)),
      )) as [readonly FieldCount[], readonly FieldCount[], readonly FieldCount[], readonly FieldCount[]];
      return [...first, ...second, ...third, ...(last === undefined ? [] : [last])];
    },
    { enabled: unit !== '', keep: true, fresh: countsFresh },
  );
  // Counts above some size are lower bounds: shares of them would be made up.
  const unsure = data?.some(({ states: of }) => states.some((state) => of[state].atLeast)) === true;
  return (
    <section className="block field-shares">
      <div className="title-line">
        <h2>{say('home.fields')}</h2>
        <p className="marks">
          {states.map((state) => (
            <Mark key={state} kind={state} />
          ))}
        </p>
        {units.length < 2 ? null : (
          <div className="control">
            <label htmlFor={id}>{say('home.unit')}</label>
            <select id={id} value={unit} onChange={(event) => navigate(`/?unit=${event.target.value}`, { replace: true })}>
              {units.map((one) => (
                <option key={one.id} value={one.id}>
                  {'\u2003'.repeat(one.depth)}
                  {one.name}
                </option>
              ))}
            </select>
          </div>
        )}
      </div>
      {error !== null ? <Refusal error={error} again={() => void refetch()} /> : null}
      {data === undefined ? (
        error === null && <div className="skeleton-fields" aria-busy="true" />
      ) : (
        <>
          {unsure ? <p className="small">{say('home.tooMany', { count: amount(10_000) })}</p> : null}
          <ul className="shares">
            {data.map((count) => (
              <Share key={count.field} count={count} unit={unit} unsure={unsure} />
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

function Share({
  count,
  unit,
  unsure,
}: {
  readonly count: FieldCount;
  readonly unit: string;
  readonly unsure: boolean;
}): ReactNode {
  const say = useSay();
  const { field } = count;
  const total = states.reduce((sum, state) => sum + count.states[state].value, 0);
  return (
    <li data-row tabIndex={-1}>
      <span className="share-name">{word(say, 'field', field)}</span>
      <span className="stack-bar" aria-hidden="true">
        {unsure
          ? null
          : states.map((state) => (
              <span
                key={state}
                className={`part mark-${state.toLowerCase()}`}
                style={{ width: `${total === 0 ? 0 : (100 * count.states[state].value) / total}%` }}
              />
            ))}
      </span>
      <span className="share-numbers figures">
        {states.map((state) => {
          const { value, atLeast } = count.states[state];
          return (
            <LinkBase
              key={state}
              className={`mark-${state.toLowerCase()}`}
              to={`/citizens?unit=${unit}&field=${field}&status=${state}`}
              aria-label={`${word(say, 'field', field)}, ${say(`mark.${state}`)}: ${amount(value)}`}
            >
              {atLeast ? '> ' : ''}
              {amount(value)}
            </LinkBase>
          );
        })}
        <span>{unsure ? '' : percent(count.states.GREEN.value, total)}</span>
      </span>
    </li>
  );
}
