import Button from '@mui/material/Button';
import { useId, useRef, useState, type ReactNode } from 'react';
import { useNavigate } from 'react-admin';
import { GraphRefusal } from '../api/graph.ts';
import { amount } from '../format.ts';
import { useSay, word } from '../i18n/words.ts';
import { Refusal } from '../parts/refusal.tsx';
import { useHub } from '../parts/use-hub.ts';
import { useMayChange } from '../parts/use-principal.ts';
import { firstLineOf, importKinds, kindOf, type ImportKind } from './columns.ts';

/** Takes a file: dropped or chosen, it is on its way, unless nobody can tell what it holds. */
export function ImportDrop({ again }: { readonly again?: boolean }): ReactNode {
  const say = useSay();
  const hub = useHub();
  const may = useMayChange();
  const navigate = useNavigate();
  const id = useId();
  const chooser = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const [unsure, setUnsure] = useState<File | null>(null);
  const [sending, setSending] = useState<File | null>(null);
  const [failure, setFailure] = useState<unknown>(null);
  if (!may('import:send')) return null;

  const send = async (file: File, kind: ImportKind): Promise<void> => {
    setUnsure(null);
    setFailure(null);
    setSending(file);
    try {
      const started = await hub.sendFile(file, kind, crypto.randomUUID());
      if (started.ok) navigate(`/imports/${started.id}/show`);
      else setFailure(new GraphRefusal(started.refused.message, 400, started.refused.code, null));
    } catch (problem) {
      setFailure(problem);
    } finally {
      setSending(null);
    }
  };
  const take = async (file: File | undefined): Promise<void> => {
    if (file === undefined || sending !== null) return;
    const kind = kindOf(await firstLineOf(file));
    if (kind === null) setUnsure(file);
    else await send(file, kind);
  };

  return (
    <section
      className={over ? 'block drop over' : 'block drop'}
      aria-label={say('import.drop')}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        void take(event.dataTransfer.files[0]);
      }}
    >
      <p>
        <strong>{say(again === true ? 'import.dropAgain' : 'import.drop')}</strong>{' '}
        <span className="quiet">{say('import.dropNote')}</span>
      </p>
      <div className="acts">
        <Button variant="outlined" disabled={sending !== null} onClick={() => chooser.current?.click()}>
          {say('import.choose')}
        </Button>
        <input
          ref={chooser}
          id={id}
          className="unseen"
          tabIndex={-1}
          type="file"
          accept=".csv,text/csv"
          aria-label={say('import.choose')}
          onChange={(event) => {
            const [file] = event.target.files ?? [];
            event.target.value = '';
            void take(file);
          }}
        />
        {sending === null ? null : (
          <span className="quiet" role="status">
            {say('import.sending', { name: sending.name, size: amount(Math.ceil(sending.size / 1024)) })}
          </span>
        )}
      </div>
      {unsure === null ? null : (
        <div role="alert">
          <p>{say('import.whichKind', { name: unsure.name })}</p>
          <div className="acts">
            {importKinds.map((kind) => (
              <Button key={kind} size="small" variant="outlined" onClick={() => void send(unsure, kind)}>
                {word(say, 'importKind', kind)}
              </Button>
            ))}
          </div>
        </div>
      )}
      {failure === null ? null : <Refusal error={failure} />}
    </section>
  );
}
