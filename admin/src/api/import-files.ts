import { askGraph, GraphRefusal, type Refused } from './graph.ts';
import { workMutations } from './work-documents.ts';

/** Id of the import, or why the hub does not take the file. */
type Sent = { readonly ok: true; readonly id: string } | { readonly ok: false; readonly refused: Refused };

/** A file on its way in: announced on the graph, its bytes then by the link that the hub answers. */
export async function sendImportFile(file: File, kind: string, idempotencyKey: string): Promise<Sent> {
  const { data } = await askGraph<{
    done: { ok: { record: { id: string }; upload: { url: string } } | null; error: Refused | null } | null;
  }>(workMutations.StartImport, { input: { kind, fileName: file.name, size: file.size } }, { idempotencyKey });
  const { ok = null, error = null } = data.done ?? {};
  if (error !== null) return { ok: false, refused: error };
  if (ok === null) throw new GraphRefusal('', 503, 'UNAVAILABLE', null);
  // Another origin, which reads no cookie: the link alone lets the bytes in.
  const sent = await fetch(ok.upload.url, {
    method: 'PUT',
    body: file,
    credentials: 'omit',
    headers: { 'content-type': 'text/csv' },
  });
  if (!sent.ok) throw new GraphRefusal('', sent.status, 'UNAVAILABLE', sent.headers.get('x-trace-id'));
  return { ok: true, id: ok.record.id };
}
