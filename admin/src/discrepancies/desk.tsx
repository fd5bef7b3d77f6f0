import Button from '@mui/material/Button';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import { useNavigate } from 'react-admin';
import type { SettleDecision } from '../api/generated/graph.ts';
import type { Discrepancy } from '../api/records.ts';
import { amount } from '../format.ts';
import { useSay, word } from '../i18n/words.ts';
import { Filters } from '../lists/filters.tsx';
import type { ListScreen } from '../lists/screen.ts';
import { useList } from '../lists/use-list.ts';
import { AgeText } from '../parts/age.tsx';
import { Refusal } from '../parts/refusal.tsx';
import { Tabs } from '../parts/tabs.tsx';
import { useShortcuts } from '../shell/use-shortcuts.ts';
import { AtHand } from './at-hand.tsx';
import { Bulk } from './bulk.tsx';
import { decisionKeys, mayTake, waits, type Standing } from './desk-state.ts';
import { shownValue } from './shown-value.ts';
import { useDesk, type DeskActs } from './use-desk.ts';

/** Open discrepancies, worked by the keyboard alone: the one at hand is laid open, one key decides it, the next is already there. */
export function DiscrepancyDesk({ screen }: { readonly screen: ListScreen<Discrepancy> }): ReactNode {
  const say = useSay();
  const list = useList(screen, { rows: false });
  const acts = useDesk(list.chosen);
  const { desk } = acts;
  const navigate = useNavigate();
  const [many, setMany] = useState<ReadonlySet<string> | null>(null);
  const [handing, setHanding] = useState(false);
  const at = desk.items.find(({ id }) => id === desk.at);
  const rows = useRef<HTMLOListElement>(null);

  useEffect(() => {
    setHanding(false);
    // Where one types nothing is taken away from under the fingers.
    const free = document.activeElement === document.body || rows.current?.contains(document.activeElement) === true;
    const row = desk.at === null ? null : document.getElementById(`at-${desk.at}`);
    if (!free || row === null) return;
    const first = rows.current?.contains(document.activeElement) !== true;
    row.focus({ preventScroll: true });
    if (!first) row.scrollIntoView({ block: 'nearest' });
  }, [desk.at]);

  const decide = (decision: SettleDecision): void => {
    if (at === undefined || !waits(desk, at.id)) return;
    if (decision === 'HAND_OVER') setHanding(true);
    else if (decision !== 'TAKE' || mayTake(at)) void acts.decide(at, decision);
  };

  useShortcuts((command) => {
    if (command.do !== 'key' || many !== null || handing) return false;
    const decision = decisionKeys[command.key];
    if (decision !== undefined) decide(decision);
    else if (command.key === 'u') void acts.undo(at !== undefined && desk.standing.get(at.id)?.is === 'decided' ? at.id : null);
    else return false;
    return true;
  });

  const count =
    list.count === undefined
      ? '\u00a0'
      : say(list.count.atLeast ? 'list.countAtLeast' : 'list.count', { count: amount(list.count.value) });
  return (
    <div className="page list-page desk-page">
      {screen.tabs === undefined ? null : <Tabs resources={screen.tabs} />}
      <div className="title-line">
        <h1>{say('title.discrepancies')}</h1>
        <p className="count" aria-live="polite">
          {count}
        </p>
        <div className="acts">
          <Button size="small" aria-pressed={many !== null} onClick={() => setMany(many === null ? new Set() : null)}>
            {say(many === null ? 'discrepancy.many' : 'discrepancy.oneByOne')}
          </Button>
          <Button size="small" onClick={() => print()}>
            {say('list.print')}
          </Button>
        </div>
      </div>
      <Filters screen={screen} list={list} />
      {acts.error === null ? null : <Refusal error={acts.error} again={acts.again} />}
      {many === null ? null : <Bulk acts={acts} chosen={many} onChoose={setMany} />}
      {acts.loading && acts.error === null ? <div className="block skeleton-block" aria-busy="true" /> : null}
      {!acts.loading && desk.items.length === 0 ? <p className="nothing">{say('empty.discrepancies')}</p> : null}
      <ol ref={rows} className="desk">
        {desk.items.map((item) => {
          const open = item.id === desk.at && many === null;
          return (
            <li
              key={item.id}
              id={`at-${item.id}`}
              data-row
              tabIndex={-1}
              aria-current={open ? 'true' : undefined}
              onFocus={(event) => {
                if (event.target === event.currentTarget && many === null) acts.goTo(item.id);
              }}
              onKeyDown={(event) => {
                if (event.key === 'Enter' && event.target === event.currentTarget) navigate(`/citizens/${item.citizen.id}/show`);
              }}
            >
              <Line
                item={item}
                acts={acts}
                chosen={many?.has(item.id)}
                onChoose={() => {
                  const next = new Set(many);
                  if (!next.delete(item.id)) next.add(item.id);
                  setMany(next);
                }}
              />
              {open ? (
                <AtHand
                  item={item}
                  standing={desk.standing.get(item.id)}
                  handing={handing}
                  onHanding={setHanding}
                  onDecide={decide}
                  onHandOver={(unit) => void acts.decide(item, 'HAND_OVER', unit)}
                  onUndo={() => void acts.undo(item.id)}
                />
              ) : null}
            </li>
          );
        })}
      </ol>
    </div>
  );
}

interface LineProps {
  readonly item: Discrepancy;
  readonly acts: DeskActs;
  readonly chosen: boolean | undefined;
  readonly onChoose: () => void;
}

function Line({ item, acts, chosen, onChoose }: LineProps): ReactNode {
  const say = useSay();
  const { desk } = acts;
  return (
    <div className="desk-line" onClick={() => acts.goTo(item.id)}>
      {chosen === undefined ? null : (
        <input
          type="checkbox"
          checked={chosen}
          disabled={!waits(desk, item.id)}
          aria-label={say('discrepancy.choose', { name: item.citizen.fullName })}
          onClick={(event) => event.stopPropagation()}
          onChange={onChoose}
        />
      )}
      <strong>{item.citizen.fullName}</strong>
      <span>{word(say, 'field', item.field)}</span>
      <span className="figures sides-line">
        {item.ours === null && item.theirs === null ? null : (
          <>
            {shownValue(say, item.field, item.ours) ?? '–'} <span aria-hidden="true">≠</span>{' '}
            {shownValue(say, item.field, item.theirs) ?? '–'}
          </>
        )}
      </span>
      <span className="quiet">{word(say, 'kind', item.kind)}</span>
      <span className="quiet">
        <AgeText at={item.raisedAt} />
      </span>
      <StandingWord standing={desk.standing.get(item.id)} />
    </div>
  );
}

export function StandingWord({ standing }: { readonly standing: Standing | undefined }): ReactNode {
  const say = useSay();
  if (standing === undefined) return null;
  switch (standing.is) {
    case 'sending':
    case 'undoing':
      return <span className="quiet">{say('discrepancy.writing')}</span>;
    case 'decided':
      return <span className="mark-green">{`✓ ${say(`discrepancy.did.${standing.decision}`)}`}</span>;
    case 'undone':
      return <span className="quiet">{say('discrepancy.undone')}</span>;
    case 'refused':
      return <span className="mark-conflict">{say('discrepancy.refused')}</span>;
  }
}
