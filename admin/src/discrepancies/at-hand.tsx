import Button from '@mui/material/Button';
import { useEffect, useEffectEvent, type ReactNode } from 'react';
import { LinkBase } from 'react-admin';
import type { SettleDecision } from '../api/generated/graph.ts';
import type { AroundDiscrepancy, Discrepancy, UnitAbove, UnitRef } from '../api/records.ts';
import { instant, partialDay } from '../format.ts';
import { useSay, word } from '../i18n/words.ts';
import { Mark, markOf } from '../parts/marks.tsx';
import { useAsk } from '../parts/use-hub.ts';
import { differenceOf } from './difference.ts';
import { mayTake, waits, type Standing } from './desk-state.ts';
import { shownValue } from './shown-value.ts';

const choices: readonly (readonly [string, SettleDecision])[] = [
  ['1', 'KEEP'],
  ['2', 'TAKE'],
  ['3', 'ASK_AGAIN'],
  ['4', 'HAND_OVER'],
];

interface AtHandProps {
  readonly item: Discrepancy;
  readonly standing: Standing | undefined;
  readonly handing: boolean;
  readonly onHanding: (handing: boolean) => void;
  readonly onDecide: (decision: SettleDecision) => void;
  readonly onHandOver: (unit: string) => void;
  readonly onUndo: () => void;
}

/** The discrepancy at hand: ours beside theirs, who says so, and what each choice means. */
export function AtHand({ item, standing, handing, onHanding, onDecide, onHandOver, onUndo }: AtHandProps): ReactNode {
  const say = useSay();
  const { data: around } = useAsk(['around', item.citizen.id], (hub, asked) => hub.aroundDiscrepancy(item.citizen.id, asked));
  // Facts of the record against each other: there are no two values to compare.
  const alone = item.kind === 'INCONSISTENT' && item.ours === null && item.theirs === null;
  const gender = around?.gender === undefined || around.gender === null ? '' : word(say, 'gender', around.gender);
  const difference = differenceOf(item.ours, item.theirs);
  const status = around?.fieldStatuses.find(({ field }) => field === item.field);
  const open = waits({ items: [], at: null, standing: new Map(standing === undefined ? [] : [[item.id, standing]]) }, item.id);
  return (
    <div className="at-hand">
      <p className="small">
        <LinkBase to={`/citizens/${item.citizen.id}/show`}>{say('discrepancy.openPerson')}</LinkBase>
        <span className="figures">{around?.personalId}</span>
        <span className="figures">{partialDay(around?.dateOfBirth ?? null)}</span>
        <span>{item.orgUnit.name}</span>
      </p>
      <div className="two-sides">
        <section>
          <h2>{say(alone ? 'discrepancy.ownFacts' : 'discrepancy.ours')}</h2>
          <p className="big-value figures">
            {alone
              ? [around?.personalId, gender, partialDay(around?.dateOfBirth ?? null)].filter(Boolean).join(' · ') || '\u00a0'
              : (shownValue(say, item.field, item.ours) ?? say('discrepancy.none'))}
          </p>
          <p className="small">
            {status === undefined ? '\u00a0' : <Mark kind={markOf({ status: status.status, conflict: false })} />}{' '}
            {status?.checkedAt === undefined || status.checkedAt === null
              ? ''
              : say('discrepancy.checked', { at: instant(status.checkedAt) })}
          </p>
        </section>
        <section>
          <h2>{say('discrepancy.theirs')}</h2>
          {alone ? (
            <p>{say('discrepancy.noOther')}</p>
          ) : (
            <p className="big-value figures">{shownValue(say, item.field, item.theirs) ?? say('discrepancy.none')}</p>
          )}
          <p className="small">
            {say('discrepancy.said', {
              by:
                status?.source === undefined || status.source === null
                  ? word(say, 'foundBy', item.foundBy)
                  : word(say, 'dataSource', status.source),
              at: instant(item.raisedAt),
            })}
          </p>
        </section>
      </div>
      <p>
        {say(`discrepancy.hint.${item.kind}`)}
        {difference === null ? '' : ` (${say(`discrepancy.${difference}`)})`}
      </p>
      {standing?.is === 'refused' ? (
        <p className="refusal" role="alert">
          {standing.message}
        </p>
      ) : null}
      {standing?.is === 'decided' ? (
        <div className="acts">
          <Button variant="outlined" onClick={onUndo}>
            {say('discrepancy.undo')}
          </Button>
          <kbd>{'u'}</kbd>
        </div>
      ) : null}
      {open && handing ? (
        <Receivers item={item} around={around ?? null} onChoose={onHandOver} onLeave={() => onHanding(false)} />
      ) : null}
      {open && !handing ? (
        <ul className="decisions">
          {choices.map(([key, decision]) => {
            const shut = decision === 'TAKE' && !mayTake(item);
            return (
              <li key={key}>
                <Button variant="outlined" disabled={shut} onClick={() => onDecide(decision)}>
                  <kbd>{key}</kbd>
                  {say(`discrepancy.do.${decision}`)}
                </Button>
                <p className="small">{say(shut ? 'discrepancy.noTake' : `discrepancy.means.${decision}`)}</p>
              </li>
            );
          })}
        </ul>
      ) : null}
    </div>
  );
}

function above(unit: UnitAbove | null | undefined): readonly UnitRef[] {
  return unit === null || unit === undefined ? [] : [unit, ...above(unit.parent)];
}

interface ReceiversProps {
  readonly item: Discrepancy;
  readonly around: AroundDiscrepancy | null;
  readonly onChoose: (unit: string) => void;
  readonly onLeave: () => void;
}

/** Who may receive it: the units from the person's own up to the department, by one key each. */
function Receivers({ item, around, onChoose, onLeave }: ReceiversProps): ReactNode {
  const say = useSay();
  const units = above(around?.orgUnit).filter(({ id }) => id !== item.orgUnit.id);
  const onKey = useEffectEvent((event: KeyboardEvent): void => {
    if (event.isComposing) return;
    const unit = units[Number(event.key) - 1];
    if (event.key === 'Escape') onLeave();
    else if (unit !== undefined) onChoose(unit.id);
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  });
  useEffect(() => {
    const hear = (event: KeyboardEvent): void => onKey(event);
    addEventListener('keydown', hear, true);
    return () => removeEventListener('keydown', hear, true);
  }, []);
  return (
    <div>
      <p>
        <strong>{say(units.length === 0 ? 'discrepancy.nobody' : 'discrepancy.toWhom')}</strong>
      </p>
      <ul className="decisions">
        {units.map((unit, index) => (
          <li key={unit.id}>
            <Button variant="outlined" onClick={() => onChoose(unit.id)}>
              <kbd>{index + 1}</kbd>
              {unit.name}
            </Button>
          </li>
        ))}
        <li>
          <Button onClick={onLeave}>
            <kbd>{'Esc'}</kbd>
            {say('form.back')}
          </Button>
        </li>
      </ul>
    </div>
  );
}
