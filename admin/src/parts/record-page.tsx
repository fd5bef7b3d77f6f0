import Button from '@mui/material/Button';
import type { ReactNode } from 'react';
import { LinkBase, useGetOne, useParams } from 'react-admin';
import { undoOf, type UndoResource } from '../api/mutations.ts';
import type { Change, Connection, Holder, UnitRef } from '../api/records.ts';
import type { ResourceName } from '../api/resources.ts';
import type { MessageKey } from '../i18n/vi.ts';
import { useSay } from '../i18n/words.ts';
import { ChangeActs, type Changeable } from './change-acts.tsx';
import { HistoryTable } from './history.tsx';
import { Refusal } from './refusal.tsx';
import { wholeRecord } from './use-hub.ts';

export interface Fact {
  readonly label: MessageKey;
  readonly value: ReactNode;
}

interface AnyRecord {
  readonly id: string;
  readonly version: number;
  readonly citizen: Holder | null;
  readonly orgUnit: UnitRef | null;
  readonly history?: Connection<Change>;
}

interface RecordPageProps<Row> {
  readonly resource: ResourceName;
  readonly heading: (row: Row) => ReactNode;
  readonly facts: (row: Row) => readonly Fact[];
  /** What must be known of it at first sight. */
  readonly note?: (row: Row) => MessageKey | null;
  /** Who may change it, and why this one cannot be changed. */
  readonly change?: Changeable<Row>;
}

/** The page of a card, a result or a slip: what it is, whose, and what happened to it. */
export function RecordPage<Row extends AnyRecord>({ resource, heading, facts, note, change }: RecordPageProps<Row>): ReactNode {
  const say = useSay();
  const { id } = useParams();
  const { data, error, refetch } = useGetOne<Row & { id: string }>(resource, { id: id ?? '', meta: wholeRecord });
  return (
    <div className="page record">
      <p className="trail">
        <LinkBase to={`/${resource}`}>{say(`title.${resource}`)}</LinkBase>
      </p>
      {error !== null ? (
        <>
          <h1>{say(`title.${resource}`)}</h1>
          <Refusal error={error} again={() => void refetch()} />
        </>
      ) : data === undefined ? (
        <div className="block skeleton-block" aria-busy="true" />
      ) : (
        <>
          <div className="title-line">
            <h1>{heading(data)}</h1>
            <div className="acts">
              {change === undefined ? null : <ChangeActs resource={resource} row={data} change={change} />}
              <Button size="small" onClick={() => print()}>
                {say('citizen.print')}
              </Button>
            </div>
          </div>
          {note === undefined || note(data) === null ? null : <p className="resumed">{say(note(data) ?? 'record.facts')}</p>}
          <section className="block" aria-label={say('record.facts')}>
            <dl className="facts">
              <div>
                <dt>{say('record.holder')}</dt>
                <dd>
                  {data.citizen === null ? (
                    say('record.waiting')
                  ) : (
                    <LinkBase to={`/citizens/${data.citizen.id}/show`}>{data.citizen.fullName}</LinkBase>
                  )}
                </dd>
              </div>
              {facts(data).map(({ label, value }) => (
                <div key={label}>
                  <dt>{say(label)}</dt>
                  <dd>{value === '' || value === null ? '–' : value}</dd>
                </div>
              ))}
              <div>
                <dt>{say('column.unit')}</dt>
                <dd>{data.orgUnit?.name ?? '–'}</dd>
              </div>
            </dl>
          </section>
          <section className="block">
            <h2>{say('record.history')}</h2>
            <HistoryTable
              changes={data.history?.nodes ?? []}
              empty={say('citizen.noHistory')}
              undoing={
                resource in undoOf && change !== undefined
                  ? { resource: resource as UndoResource, permission: change.permission, version: data.version }
                  : undefined
              }
            />
          </section>
        </>
      )}
    </div>
  );
}
