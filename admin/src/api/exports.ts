import { askGraph, GraphRefusal, type Refused } from './graph.ts';
import { sources, type Filter } from './resources.ts';
import { exportDocuments, workMutations } from './work-documents.ts';

/* Lists that go out as a run of the hub: of any length, unlike what a page reads together by itself. */

const kinds: Readonly<Partial<Record<keyof typeof sources, { readonly kind: string; readonly filter: string }>>> = {
  citizens: { kind: 'CITIZENS', filter: 'citizens' },
  cards: { kind: 'CARDS', filter: 'cards' },
  results: { kind: 'RESULTS', filter: 'results' },
  referrals: { kind: 'REFERRAL_SLIPS', filter: 'slips' },
  reexaminations: { kind: 'REEXAMINATION_SLIPS', filter: 'slips' },
  discrepancies: { kind: 'DISCREPANCIES', filter: 'discrepancies' },
  work: { kind: 'WORK_ITEMS', filter: 'workItems' },
  audit: { kind: 'AUDIT', filter: 'audit' },
};

export function goesOutAsRun(resource: keyof typeof sources): boolean {
  return kinds[resource] !== undefined;
}

type Started = { readonly ok: true; readonly run: string } | { readonly ok: false; readonly refused: Refused };

/** Begins to take a list out, filtered as on the screen; the run that does it. */
export async function startExport(resource: keyof typeof sources, filter: Filter, idempotencyKey: string): Promise<Started> {
  const known = kinds[resource];
  if (known === undefined) throw new GraphRefusal('', 404, 'NOT_FOUND', null);
  const said = sources[resource].filter(filter);
  const { data } = await askGraph<{
    done: { ok: { record: { run: { id: string } | null } | null } | null; error: Refused | null } | null;
  }>(
    workMutations.StartExport,
    { input: { kind: known.kind, format: 'CSV', ...(said !== null && { filter: { [known.filter]: said } }) } },
    { idempotencyKey },
  );
  const { ok = null, error = null } = data.done ?? {};
  if (error !== null) return { ok: false, refused: error };
  const run = ok?.record?.run ?? null;
  if (run === null) throw new GraphRefusal('', 503, 'UNAVAILABLE', null);
  return { ok: true, run: run.id };
}

/** A link to the file of an export, good once; `null`: not there (any more), or another person's. */
export async function exportFile(run: string): Promise<string | null> {
  const { data } = await askGraph<{ record: { file: { url: string } | null } | null }>(exportDocuments.Export, { id: run });
  return data.record?.file?.url ?? null;
}
