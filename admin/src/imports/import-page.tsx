import Button from '@mui/material/Button';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import { LinkBase, useParams } from 'react-admin';
import { GraphRefusal } from '../api/graph.ts';
import type { ImportFile } from '../api/records.ts';
import { amount } from '../format.ts';
import { useSay, word } from '../i18n/words.ts';
import { followLink } from '../lists/csv.ts';
import { Refusal } from '../parts/refusal.tsx';
import { useAsk, useHub } from '../parts/use-hub.ts';
import { useMayChange } from '../parts/use-principal.ts';
import { RunProgress } from '../runs/run-progress.tsx';
import { columnsOf } from './columns.ts';
import { ImportDrop } from './import-drop.tsx';

/** How often one looks while the hub works on it, milliseconds. */
const often = 1_000;

function underWay(file: ImportFile | null | undefined): boolean {
  if (file === null || file === undefined) return false;
  const read = file.state === 'AWAITED' || file.state === 'RECEIVED' || file.state === 'STAGED';
  const running = file.run !== null && ['PLANNED', 'RUNNING', 'PAUSED'].includes(file.run.state);
  return read || running;
}

/** One file on its way in: what was recognised, what would happen, then what happened, and which rows are to be mended. */
export function ImportPage(): ReactNode {
  const say = useSay();
  const { id = '' } = useParams();
  const {
    data: file,
    error,
    refetch,
  } = useAsk(['import', id], (hub, asked) => hub.importFile(id, asked), {
    every: (now) => (underWay(now) ? often : 0),
  });
  return (
    <div className="page record">
      <p className="trail">
        <LinkBase to="/imports">{say('title.imports')}</LinkBase>
      </p>
      {error !== null || file === null ? <h1>{say('title.imports')}</h1> : null}
      {error !== null ? (
        <Refusal error={error} again={() => void refetch()} />
      ) : file === undefined ? (
        <div className="block skeleton-block" aria-busy="true" />
      ) : file === null ? (
        <Refusal error={new GraphRefusal('', 404, 'NOT_FOUND', null)} />
      ) : (
        <Whole file={file} refresh={() => void refetch()} />
      )}
    </div>
  );
}

function Whole({ file, refresh }: { readonly file: ImportFile; readonly refresh: () => void }): ReactNode {
  const say = useSay();
  const [mapping, setMapping] = useState<Readonly<Record<string, string>>>({});
  const ended = file.state === 'APPLIED' && file.run !== null && !underWay(file);
  return (
    <>
      <div className="title-line">
        <h1>{file.fileName ?? say('title.imports')}</h1>
        <p className="count">
          {word(say, 'importKind', file.kind)} · {word(say, 'importState', file.state)}
        </p>
      </div>
      {file.refusal === null ? null : (
        <div className="refusal" role="alert">
          <p>
            <strong>{say('error.title')}.</strong> {file.refusal.message}
          </p>
        </div>
      )}
      {file.state === 'APPLIED' && file.run !== null ? (
        <RunProgress run={file.run} />
      ) : (
        <Planned file={file} mapping={mapping} refresh={refresh} />
      )}
      {file.refusedRows.length === 0 ? null : <RefusedRows file={file} />}
      {ended || file.refusal !== null ? <ImportDrop again /> : file.state === 'AWAITED' ? <ImportDrop /> : null}
      {file.columns.length === 0 || file.state !== 'CHECKED' ? null : (
        <Columns file={file} mapping={mapping} onMap={(heading, column) => setMapping({ ...mapping, [heading]: column })} />
      )}
    </>
  );
}

interface PlannedProps {
  readonly file: ImportFile;
  readonly mapping: Readonly<Record<string, string>>;
  readonly refresh: () => void;
}

/** The dry run: what would happen to how many rows. Nothing is written before it is applied. */
function Planned({ file, mapping, refresh }: PlannedProps): ReactNode {
  const say = useSay();
  const hub = useHub();
  const may = useMayChange();
  const apply = useRef<HTMLButtonElement>(null);
  const [failure, setFailure] = useState<unknown>(null);
  const [sending, setSending] = useState(false);
  const [key] = useState(() => crypto.randomUUID());
  const { planned } = file;
  const ready = file.state === 'CHECKED' && planned !== null;
  useEffect(() => {
    if (ready) apply.current?.focus();
  }, [ready]);
  if (file.refusal !== null) return null;
  if (file.state === 'AWAITED') {
    return (
      <section className="block">
        <p role="status">{say('import.awaited')}</p>
      </section>
    );
  }
  if (planned === null) {
    return (
      <section className="block">
        <p role="status">{say('import.reading')}</p>
        <progress
          className="whole"
          max={file.run?.total ?? undefined}
          value={file.run?.total === undefined || file.run.total === null ? undefined : (file.run.done ?? 0)}
          aria-label={say('import.reading')}
        />
      </section>
    );
  }
  const taken = planned.added + planned.changed + planned.waiting;
  const start = async (): Promise<void> => {
    setSending(true);
    setFailure(null);
    try {
      const outcome = await hub.applyImport({ id: file.id, version: file.version, mapping }, `${key}-${file.version}`);
      if (!outcome.ok) setFailure(new GraphRefusal(outcome.refused.message, 400, outcome.refused.code, null));
      refresh();
    } catch (problem) {
      setFailure(problem);
    } finally {
      setSending(false);
    }
  };
  return (
    <section className="block">
      <h2>{say('import.wouldHappen')}</h2>
      <ul className="planned">
        {(['added', 'changed', 'unchanged', 'waiting', 'refused'] as const).map((name) => (
          <li key={name} className={name === 'refused' && planned.refused > 0 ? 'mark-conflict' : undefined}>
            <span className="big-value figures">{amount(planned[name])}</span>
            <span>{word(say, 'count', name)}</span>
          </li>
        ))}
      </ul>
      <p className="quiet">{say('import.total', { count: amount(planned.total) })}</p>
      {failure === null ? null : <Refusal error={failure} />}
      {may('import:send') ? (
        <div className="acts">
          <Button ref={apply} variant="contained" disabled={!ready || sending || taken === 0} onClick={() => void start()}>
            {say(sending ? 'form.sending' : 'import.apply', { count: amount(taken) })}
          </Button>
          <span className="quiet">{say(taken === 0 ? 'import.nothingNew' : 'import.nothingYet')}</span>
        </div>
      ) : null}
    </section>
  );
}

interface ColumnsProps {
  readonly file: ImportFile;
  readonly mapping: Readonly<Record<string, string>>;
  readonly onMap: (heading: string, column: string) => void;
}

/** What each heading was taken for; a person may say otherwise. */
function Columns({ file, mapping, onMap }: ColumnsProps): ReactNode {
  const say = useSay();
  return (
    <section className="block">
      <h2>{say('import.recognised')}</h2>
      <p className="quiet">
        {say('import.separator', { separator: file.separator ?? ',' })}
        {file.communeList === null ? '' : ` · ${say('import.communeList', { list: file.communeList })}`}
      </p>
      <ul className="mapping">
        {file.columns.map(({ heading, column }) => (
          <li key={heading}>
            <label>
              <span>{heading}</span>
              <select value={mapping[heading] ?? column ?? ''} onChange={(event) => onMap(heading, event.target.value)}>
                <option value="">{say('import.leftOut')}</option>
                {columnsOf[file.kind].map((name) => (
                  <option key={name} value={name}>
                    {word(say, 'importColumn', name)}
                  </option>
                ))}
              </select>
            </label>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Rows that were not taken, each with what to do; as a file to mend and send again. */
function RefusedRows({ file }: { readonly file: ImportFile }): ReactNode {
  const say = useSay();
  const hub = useHub();
  const [failure, setFailure] = useState<unknown>(null);
  const download = async (): Promise<void> => {
    setFailure(null);
    try {
      const link = await hub.refusedFile(file.id);
      if (link === null) setFailure(new GraphRefusal('', 404, 'NOT_FOUND', null));
      else followLink(link);
    } catch (problem) {
      setFailure(problem);
    }
  };
  return (
    <section className="block">
      <div className="block-head">
        <h2>{say('import.refusedRows')}</h2>
        {file.refusedFile === null ? null : (
          <Button size="small" variant="outlined" onClick={() => void download()}>
            {say('import.download')}
          </Button>
        )}
      </div>
      {failure === null ? null : <Refusal error={failure} />}
      <table className="rows" role="table">
        <thead role="rowgroup">
          <tr role="row">
            <th role="columnheader" className="room-short">
              {say('import.line')}
            </th>
            <th role="columnheader" className="room-phrase">
              {say('column.field')}
            </th>
            <th role="columnheader">{say('import.what')}</th>
          </tr>
        </thead>
        <tbody role="rowgroup">
          {file.refusedRows.map(({ line, field, message }) => (
            <tr key={`${line}${field ?? ''}`} role="row">
              <td role="cell" className="figures" data-label={say('import.line')}>
                {amount(line)}
              </td>
              <td role="cell" data-label={say('column.field')}>
                {field === null ? '–' : word(say, 'importColumn', field)}
              </td>
              <td role="cell" data-label={say('import.what')}>
                {message}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
