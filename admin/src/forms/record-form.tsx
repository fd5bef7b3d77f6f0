import Button from '@mui/material/Button';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState, type KeyboardEvent, type ReactNode, type SyntheticEvent } from 'react';
import { LinkBase, useNavigate } from 'react-admin';
import { keepTold } from '../accounts/told-once.ts';
import { GraphRefusal, type Refused } from '../api/graph.ts';
import { instant } from '../format.ts';
import { useSay } from '../i18n/words.ts';
import { notice } from '../parts/notices.tsx';
import { Refusal } from '../parts/refusal.tsx';
import { isMasked, RevealButton, useRevealed } from '../parts/reveal.tsx';
import { useAsk, useHub } from '../parts/use-hub.ts';
import { useMayChange } from '../parts/use-principal.ts';
import { Denied } from '../shell/states.tsx';
import { Conflict } from './conflict.tsx';
import { attemptOf, changedKeys, freshDraft, rebased, typed, valueBefore, valueIn, type Draft, type Values } from './draft.ts';
import { draftPlace } from './draft-place.ts';
import { FormFieldLine } from './form-field.tsx';
import { fieldsOf, inputOf, wrongIn, type FormAct, type FormField } from './form-spec.ts';
import { drafts, useDraftState, useFreshDrafts } from './use-drafts.ts';

interface Editable {
  readonly id: string;
  readonly version: number;
}

interface RecordFormProps<Row> {
  readonly act: FormAct<Row>;
  /** Null: a new record. */
  readonly id: string | null;
  /** What is known of a new record before anybody types. */
  readonly preset?: Values;
  /** The field one came for. */
  readonly focus?: string | null;
}

/**
 * Create, change and withdraw of every kind of record. It reads the record, keeps what is typed, sends only what differs, once, puts a
 * refusal beside its field, and where somebody saved first lays both sides beside each other.
 */
export function RecordForm<Row extends Editable>({ act, id, preset = {}, focus = null }: RecordFormProps<Row>): ReactNode {
  const say = useSay();
  const may = useMayChange();
  const fresh = useFreshDrafts();
  const {
    data: row,
    error,
    refetch,
  } = useAsk(['form', act.resource, id], async (hub) => (await hub.getOne<Row>(act.resource, { id: id ?? '' })).data, {
    enabled: id !== null,
  });
  if (!may(act.permission)) return <Denied />;
  if (error !== null) {
    return (
      <>
        <h1>{say(`title.${act.resource}`)}</h1>
        <Refusal error={error} again={() => void refetch()} />
      </>
    );
  }
  if (!fresh || (id !== null && row === undefined)) return <div className="block skeleton-block" aria-busy="true" />;
  const closed = row === undefined ? null : (act.closed?.(row) ?? null);
  if (closed !== null) {
    return (
      <div className="page record">
        <h1>{say(act.title)}</h1>
        <p className="nothing">{say(closed)}</p>
        <LinkBase to={`/${act.resource}/${id ?? ''}/show`}>{say('form.back')}</LinkBase>
      </div>
    );
  }
  return <Body act={act} row={row ?? null} preset={preset} focus={focus} />;
}

function Body<Row extends Editable>({
  act,
  row,
  preset,
  focus,
}: {
  readonly act: FormAct<Row>;
  readonly row: Row | null;
  readonly preset: Values;
  readonly focus: string | null;
}): ReactNode {
  const say = useSay();
  const hub = useHub();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const form = useRef<HTMLFormElement>(null);
  const place = draftPlace(act.resource, row?.id ?? null, act.name);
  const [kept, setKept] = useState(
    () => drafts.at(place) ?? freshDraft(row?.version ?? null, row === null ? preset : act.read(row)),
  );
  const [resumed] = useState(kept.at);
  const keptState = useDraftState(place);
  const [wrong, setWrong] = useState<Readonly<Record<string, string>>>({});
  const [failure, setFailure] = useState<unknown>(null);
  const [general, setGeneral] = useState<Refused | null>(null);
  const [theirs, setTheirs] = useState<{ readonly version: number; readonly values: Values } | null>(null);
  const [sending, setSending] = useState(false);
  const revealed = useRevealed<Values>((purpose) =>
    row === null || act.reveal === undefined ? Promise.resolve(null) : act.reveal(hub, row.id, purpose),
  );
  const draft: Draft = { ...kept, clear: revealed.data ?? {} };
  const groups = act.groups(row);
  const fields = fieldsOf(groups);
  const changed = changedKeys(draft);
  const about = fields.filter(({ key, aside }) => aside !== true && changed.includes(key));
  const note = act.noteOf?.(row) ?? null;
  const back = row === null ? `/${act.resource}` : `/${act.resource}/${row.id}/show`;

  useEffect(() => {
    const named = focus === null ? null : form.current?.querySelector<HTMLInputElement>(`[name="${CSS.escape(focus)}"]`);
    const first = named ?? form.current?.querySelector<HTMLInputElement>('input, select, textarea');
    first?.focus();
    if (named instanceof HTMLInputElement) named.select();
  }, [focus]);

  const keep = (next: Draft): void => {
    drafts.keep(place, next);
    setKept(next);
  };
  const show = (problems: Readonly<Record<string, string>>): void => {
    setWrong(problems);
    const first = fields.find(({ key }) => problems[key] !== undefined);
    if (first === undefined) return;
    const control = form.current?.querySelector<HTMLElement>(`[name="${CSS.escape(first.key)}"]`);
    control?.focus({ preventScroll: true });
    // With what is said below it, which the foot of the form would cover.
    control?.scrollIntoView({ block: 'center' });
  };

  const refuse = async (refused: Refused): Promise<void> => {
    if (refused.code === 'CONFLICT_VERSION' && row !== null) {
      const { data } = await hub.getOne<Row>(act.resource, { id: row.id });
      setTheirs({ version: data.version, values: act.read(data) });
      return;
    }
    const at =
      fields.find(({ key }) => key === refused.field) ?? fields.find(({ key }) => key.startsWith(`${refused.field ?? '.'}.`));
    if (at === undefined) setGeneral(refused);
    else show({ [at.key]: refused.message });
  };

  const save = async (now: Draft): Promise<void> => {
    const problems = fields.flatMap((field) => {
      const key = wrongIn(field, valueIn(now, field.key), row === null || changedKeys(now).includes(field.key));
      return key === null ? [] : [[field.key, say(key)] as const];
    });
    setGeneral(null);
    setFailure(null);
    show(Object.fromEntries(problems));
    if (problems.length > 0 || sending) return;
    const input = {
      ...(row !== null && { id: row.id, version: now.version }),
      ...inputOf(act, groups, now),
    };
    const attempt = attemptOf(now, input, () => crypto.randomUUID());
    keep({ ...now, attempt });
    setSending(true);
    try {
      const outcome = await hub.change(act.mutation, input, attempt.key);
      if (!outcome.ok) {
        // Its outcome is known: another try is another change.
        setKept({ ...now, attempt: null });
        await refuse(outcome.refused);
        return;
      }
      if (outcome.told !== undefined && outcome.id !== null) keepTold(outcome.id, outcome.told);
      drafts.drop(place);
      queries.removeQueries({ queryKey: ['hub', 'form'] });
      void queries.invalidateQueries();
      notice(say(act.done));
      navigate(outcome.id === null ? `/${act.resource}` : `/${act.resource}/${outcome.id}/show`);
    } catch (problem) {
      setFailure(problem);
    } finally {
      setSending(false);
    }
  };

  const onSubmit = (event: SyntheticEvent): void => {
    event.preventDefault();
    if (act.name === 'update' && about.length === 0) {
      notice(say('form.nothingChanged'));
      return;
    }
    void save(draft);
  };
  const onKey = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape' || event.nativeEvent.isComposing || event.defaultPrevented) return;
    if (changed.length > 0) notice(say('form.draftStays'));
    navigate(back);
  };
  const ended = failure instanceof GraphRefusal && failure.code === 'UNAUTHENTICATED';

  return (
    <div className="page record form-page">
      <p className="trail">
        <LinkBase to={back}>{row === null ? say(`title.${act.resource}`) : act.nameOf(row)}</LinkBase>
      </p>
      <div className="title-line">
        <h1>{say(act.title)}</h1>
        {revealed.purpose !== null || fields.some(({ key }) => isMasked(draft.base[key])) ? (
          <RevealButton revealed={revealed} masked={fields.some(({ key }) => isMasked(valueIn(draft, key)))} />
        ) : null}
      </div>
      {note === null ? null : <p>{say(note)}</p>}
      {resumed > 0 && theirs === null ? (
        <p className="resumed">
          {say('form.resumed', { when: instant(new Date(resumed).toISOString()) })}{' '}
          <button
            type="button"
            className="link"
            onClick={() => {
              drafts.drop(place);
              setKept(freshDraft(row?.version ?? null, row === null ? preset : act.read(row)));
              setWrong({});
            }}
          >
            {say('form.discard')}
          </button>
        </p>
      ) : null}
      {theirs === null ? null : (
        <Conflict
          groups={groups}
          draft={draft}
          theirs={theirs.values}
          onMerge={(takeMine) => {
            const merged = rebased(draft, theirs.version, theirs.values, takeMine);
            keep(merged);
            setTheirs(null);
            if (changedKeys(merged).length === 0) {
              notice(say('conflict.nothingLeft'));
              navigate(back);
            } else void save(merged);
          }}
        />
      )}
      {ended ? (
        <div className="refusal" role="alert">
          <p>
            <strong>{say('form.sessionEnded')}</strong> {say('form.sessionNext')}
          </p>
          <a href="/auth/login" target="_blank" rel="noreferrer">
            {say('form.logInBeside')}
          </a>
        </div>
      ) : failure === null ? null : (
        <Refusal error={failure} again={() => void save(draft)} />
      )}
      {general === null ? null : (
        <div className="refusal" role="alert">
          <p>
            <strong>{say('error.title')}.</strong> {general.message}
          </p>
        </div>
      )}
      <form ref={form} onSubmit={onSubmit} onKeyDown={onKey} noValidate hidden={theirs !== null}>
        <div className="groups">
          {groups.map((group) => (
            <fieldset key={group.title} className="block group">
              <legend>{say(group.title)}</legend>
              <div className="fields">
                {group.fields.map((field: FormField) => (
                  <FormFieldLine
                    key={field.key}
                    field={field}
                    value={valueIn(draft, field.key)}
                    before={act.name === 'update' ? valueBefore(draft, field.key) : null}
                    wrong={wrong[field.key] ?? null}
                    onChange={(text) => keep(typed(draft, field.key, text, Date.now()))}
                  />
                ))}
              </div>
            </fieldset>
          ))}
        </div>
        <div className="form-foot">
          <Button type="submit" variant="contained" disabled={sending} color={act.name === 'withdraw' ? 'error' : 'primary'}>
            {say(sending ? 'form.sending' : act.verb)}
          </Button>
          <Button onClick={() => navigate(back)}>{say('form.back')}</Button>
          <span className="quiet" aria-live="polite">
            {act.name !== 'update'
              ? ''
              : about.length === 0
                ? say('form.nothingChanged')
                : say('form.changes', { fields: about.map(({ label }) => say(label)).join(', ') })}
            {keptState === null || changed.length === 0 ? null : (
              <span className="draft-state"> {say(`form.draft.${keptState}`)}</span>
            )}
          </span>
        </div>
      </form>
    </div>
  );
}
