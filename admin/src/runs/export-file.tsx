import Button from '@mui/material/Button';
import { useState, type ReactNode } from 'react';
import { GraphRefusal } from '../api/graph.ts';
import { useSay } from '../i18n/words.ts';
import { followLink } from '../lists/csv.ts';
import { Refusal } from '../parts/refusal.tsx';
import { useHub } from '../parts/use-hub.ts';

/** Takes the file of an export that is ready; the link is asked for when it is used, since it is good once. */
export function ExportFile({ run }: { readonly run: string }): ReactNode {
  const say = useSay();
  const hub = useHub();
  const [failure, setFailure] = useState<unknown>(null);
  const take = async (): Promise<void> => {
    setFailure(null);
    try {
      const link = await hub.exportFile(run);
      if (link === null) setFailure(new GraphRefusal('', 404, 'NOT_FOUND', null));
      else followLink(link);
    } catch (problem) {
      setFailure(problem);
    }
  };
  return (
    <section className="block">
      <div className="acts">
        <Button variant="contained" onClick={() => void take()}>
          {say('run.takeFile')}
        </Button>
        <span className="quiet">{say('run.fileKept')}</span>
      </div>
      {failure === null ? null : <Refusal error={failure} />}
    </section>
  );
}
