import Button from '@mui/material/Button';
import { useState, type ReactNode } from 'react';
import { LinkBase, useGetList } from 'react-admin';
import type { AuditEvent, Change, Discrepancy } from '../api/records.ts';
import { instant } from '../format.ts';
import { useSay, word } from '../i18n/words.ts';
import { AgeText } from '../parts/age.tsx';
import { HistoryTable } from '../parts/history.tsx';
import { Refusal } from '../parts/refusal.tsx';
import { useAsk, useHub } from '../parts/use-hub.ts';

export function CitizenHistory({ citizen, version }: { readonly citizen: string; readonly version: number }): ReactNode {
  const say = useSay();
  const hub = useHub();
  const { data, error, refetch } = useAsk(['history-of', citizen], (door, asked) => door.historyOf(citizen, null, asked));
  const [later, setLater] = useState<{ readonly changes: readonly Change[]; readonly next: string | null } | null>(null);
  const [failure, setFailure] = useState<unknown>(null);
  const next = later === null ? (data?.pageInfo.hasNextPage === true ? data.pageInfo.endCursor : null) : later.next;
  const more = async (): Promise<void> => {
    setFailure(null);
    try {
      const page = await hub.historyOf(citizen, next);
      setLater({
        changes: [...(later?.changes ?? []), ...(page?.nodes ?? [])],
        next: page?.pageInfo.hasNextPage === true ? page.pageInfo.endCursor : null,
      });
    } catch (problem) {
      setFailure(problem);
    }
  };
  if (error !== null) return <Refusal error={error} again={() => void refetch()} />;
  if (data === undefined) return <div className="skeleton-lines" aria-busy="true" />;
  return (
    <>
      <HistoryTable
        changes={[...(data?.nodes ?? []), ...(later?.changes ?? [])]}
        empty={say('citizen.noHistory')}
        undoing={{ resource: 'citizens', permission: 'citizen:write', version }}
      />
      {failure === null ? null : <Refusal error={failure} />}
      {next === null ? null : <Button onClick={() => void more()}>{say('citizen.more')}</Button>}
    </>
  );
}

/** Who looked at this record, why and when; for those who may see the access log. */
export function Readers({ citizen }: { readonly citizen: string }): ReactNode {
  const say = useSay();
  const { data, error, refetch } = useGetList<AuditEvent & { id: string }>('audit', {
    pagination: { page: 1, perPage: 20 },
    filter: { person: citizen },
  });
  if (error !== null) return <Refusal error={error} again={() => void refetch()} />;
  if (data === undefined) return <div className="skeleton-lines" aria-busy="true" />;
  if (data.length === 0) return <p className="quiet">{say('citizen.noReaders')}</p>;
  return (
    <>
      <ul className="lines">
        {data.map((event) => (
          <li key={event.id}>
            <span className="figures">{instant(event.at)}</span>
            <strong>{event.principalName ?? event.principal}</strong>
            <span>{word(say, 'action', event.action)}</span>
            <span className="quiet">
              {event.purpose === null ? '' : word(say, 'purpose', event.purpose)}
              {event.basis === null ? '' : ` · ${say('citizen.onLegalBasis', { basis: event.basis })}`}
            </span>
          </li>
        ))}
      </ul>
      <LinkBase to={`/audit?person=${citizen}`}>{say('citizen.more')}</LinkBase>
    </>
  );
}

export function WaitingWork({
  items,
  error,
}: {
  readonly items: readonly Discrepancy[] | undefined;
  readonly error: unknown;
}): ReactNode {
  const say = useSay();
  if (error !== null) return <Refusal error={error} />;
  if (items === undefined) return <div className="skeleton-lines" aria-busy="true" />;
  if (items.length === 0) return <p className="quiet">{say('citizen.noWork')}</p>;
  return (
    <ul className="lines">
      {items.map((item) => (
        <li key={item.id}>
          <LinkBase to={`/discrepancies?citizen=${item.citizen.id}`}>{word(say, 'field', item.field)}</LinkBase>
          <span>{word(say, 'kind', item.kind)}</span>
          <span className="figures">
            {item.ours ?? say('discrepancy.none')} / {item.theirs ?? say('discrepancy.none')}
          </span>
          <span className="quiet">
            <AgeText at={item.raisedAt} />
          </span>
        </li>
      ))}
    </ul>
  );
}
