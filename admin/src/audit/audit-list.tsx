import Button from '@mui/material/Button';
import { useId, useState, type ReactNode, type SubmitEvent } from 'react';
import { LinkBase, useNavigate } from 'react-admin';
import type { AuditEvent } from '../api/records.ts';
import { amount, instant } from '../format.ts';
import { useSay, word } from '../i18n/words.ts';
import { enumChoice } from '../lists/options.ts';
import { RecordList } from '../lists/record-list.tsx';
import type { ListScreen } from '../lists/screen.ts';
import { Refusal } from '../parts/refusal.tsx';
import { useHub } from '../parts/use-hub.ts';
import { usePrincipal } from '../parts/use-principal.ts';
import { whatIsWanted } from '../shell/search-kind.ts';

/** Shown of the records that one event touched; the file has all. */
const subjectsShown = 3;

const screen: ListScreen<AuditEvent> = {
  resource: 'audit',
  tabs: ['units', 'accounts', 'clients', 'queues', 'settings', 'audit'],
  choices: [
    enumChoice('action', 'filter.action', 'action'),
    { key: 'unit', label: 'filter.unit', kind: 'unit' },
    { key: 'from', label: 'filter.from', kind: 'day' },
    { key: 'to', label: 'filter.to', kind: 'day' },
    { key: 'person', label: 'filter.person', kind: 'id' },
    { key: 'principal', label: 'filter.principal', kind: 'principal' },
  ],
  columns: [
    { key: 'at', label: 'column.at', size: 'instant', figures: true, text: ({ at }) => instant(at) },
    {
      key: 'who',
      label: 'column.who',
      size: 'phrase',
      text: ({ principalName, principal }) => principalName ?? principal,
      cell: ({ principalName, principal }) => (
        <LinkBase to={`/audit?principal=${principal}`}>{principalName ?? principal}</LinkBase>
      ),
    },
    { key: 'action', label: 'column.action', size: 'phrase', text: ({ action }, { say }) => word(say, 'action', action) },
    {
      key: 'purpose',
      label: 'column.purpose',
      size: 'phrase',
      text: ({ purpose }, { say }) => (purpose === null ? '' : word(say, 'purpose', purpose)),
    },
    {
      key: 'subjects',
      label: 'column.subjects',
      size: 'code',
      text: ({ subjects }) => subjects.join(' '),
      cell: ({ subjects }, { say }) =>
        subjects.length === 0 ? (
          '–'
        ) : (
          <>
            {subjects.slice(0, subjectsShown).map((id) => (
              <LinkBase key={id} className="figures subject" to={`/audit?person=${id}`}>
                {id.slice(-8)}
              </LinkBase>
            ))}
            {subjects.length > subjectsShown ? (
              <span className="quiet">{say('audit.more', { smart_count: amount(subjects.length - subjectsShown) })}</span>
            ) : null}
          </>
        ),
    },
    { key: 'seen', label: 'column.seen', size: 'long', text: ({ fields }) => (fields ?? []).join(' ') },
    { key: 'source', label: 'column.source', spare: true, text: ({ subgraph }) => subgraph },
    { key: 'trace', label: 'column.trace', spare: true, figures: true, text: ({ traceId }) => traceId ?? '' },
  ],
};

export function AuditList(): ReactNode {
  return <RecordList screen={screen} more={<ByNumber />} />;
}

/** From the number on a paper to the accesses to that person's record; the number goes into the body of a request and stays nowhere. */
function ByNumber(): ReactNode {
  const say = useSay();
  const hub = useHub();
  const navigate = useNavigate();
  const principal = usePrincipal();
  const id = useId();
  const [typed, setTyped] = useState('');
  const [missing, setMissing] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const may = principal?.permissions.some((right) => right === 'citizen:resolve-number' || right === 'citizen:read') === true;
  const find = async (): Promise<void> => {
    const wanted = whatIsWanted(typed);
    setError(null);
    if (wanted.kind !== 'person') {
      setMissing(true);
      return;
    }
    try {
      const person = await hub.idOfNumber(wanted.number);
      setMissing(person === null);
      if (person !== null) {
        setTyped('');
        navigate(`/audit?person=${person}`);
      }
    } catch (failure) {
      setError(failure);
    }
  };
  if (!may) return null;
  return (
    <form
      className="by-number"
      onSubmit={(event: SubmitEvent) => {
        event.preventDefault();
        void find();
      }}
    >
      <label htmlFor={id}>{say('audit.citizen')}</label>
      <input
        id={id}
        type="text"
        autoComplete="off"
        inputMode="numeric"
        placeholder={say('audit.byNumber')}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
      />
      <Button type="submit" variant="outlined" size="small">
        {say('audit.find')}
      </Button>
      {missing ? <p role="alert">{say('audit.notFound')}</p> : null}
      {error === null ? null : <Refusal error={error} />}
    </form>
  );
}
