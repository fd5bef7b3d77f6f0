import { useId, type ReactNode } from 'react';
import { LinkBase, useLocation, useNavigate } from 'react-admin';
import type { FieldCount } from '../api/data-provider.ts';
import type { FieldState } from '../api/generated/graph.ts';
import { amount, percent } from '../format.ts';
import { useSay, word } from '../i18n/words.ts';
import { readChoices, type Choice } from '../lists/choices.ts';
import { flatUnits, useUnits } from '../lists/units.ts';
import { Mark } from '../parts/marks.tsx';
import { Refusal } from '../parts/refusal.tsx';
import { useAsk } from '../parts/use-hub.ts';
import { usePrincipal } from '../parts/use-principal.ts';

/** Milliseconds: it changes slowly, and everybody who comes home asks. */
const countsFresh = 300_000;
const shares: readonly (readonly [FieldState, 'verified' | 'declared' | 'missing'])[] = [
  ['GREEN', 'verified'],
  ['YELLOW', 'declared'],
  ['RED', 'missing'],
];
const choices: readonly Choice[] = [{ key: 'unit', label: 'filter.unit', kind: 'unit' }];

export function FieldShares(): ReactNode {
  const say = useSay();
  const id = useId();
  const navigate = useNavigate();
  const { search } = useLocation();
  const principal = usePrincipal();
  const units = flatUnits(useUnits()).filter(({ level }) => level !== 'FACILITY');
  const unit = readChoices(choices, search).unit ?? principal?.orgUnit?.id ?? '';
  const { data, error, refetch } = useAsk(['field-counts', unit], (hub, asked) => hub.fieldCounts(unit, asked), {
    enabled: unit !== '',
    keep: true,
    fresh: countsFresh,
  });
  return (
    <section className="block field-shares">
      <div className="title-line">
        <h2>{say('home.fields')}</h2>
        <p className="marks">
          {shares.map(([state]) => (
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
        <ul className="shares">
          {data.map((count) => (
            <Share key={count.field} count={count} unit={unit} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Share({ count, unit }: { readonly count: FieldCount; readonly unit: string }): ReactNode {
  const say = useSay();
  const { field } = count;
  const total = count.verified + count.declared + count.missing;
  return (
    <li data-row tabIndex={-1}>
      <span className="share-name">{word(say, 'field', field)}</span>
      <span className="stack-bar" aria-hidden="true">
        {shares.map(([state, name]) => (
          <span
            key={state}
            className={`part mark-${state.toLowerCase()}`}
            style={{ width: `${total === 0 ? 0 : (100 * count[name]) / total}%` }}
          />
        ))}
      </span>
      <span className="share-numbers figures">
        {shares.map(([state, name]) => (
          <LinkBase
            key={state}
            className={`mark-${state.toLowerCase()}`}
            to={`/citizens?unit=${unit}&field=${field}&status=${state}`}
            aria-label={`${word(say, 'field', field)}, ${say(`mark.${state}`)}: ${amount(count[name])}`}
          >
            {amount(count[name])}
          </LinkBase>
        ))}
        <span>{percent(count.verified, total)}</span>
      </span>
    </li>
  );
}
