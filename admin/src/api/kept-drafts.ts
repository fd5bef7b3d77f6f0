import type { Draft, Values } from '../forms/draft.ts';
import type { DraftHub } from '../forms/draft-store.ts';

const place = '/auth/drafts';

function texts(value: unknown): Values {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(Object.entries(value).filter((pair): pair is [string, string] => typeof pair[1] === 'string'));
}

/** What an earlier page of ours wrote; of another shape, it is no draft of this one. */
function readDraft(value: unknown): Draft | null {
  if (typeof value !== 'object' || value === null) return null;
  const { version, base, mine, attempt, at }: Readonly<Record<string, unknown>> = { ...value };
  if ((version !== null && typeof version !== 'number') || typeof at !== 'number') return null;
  const sent = texts(attempt);
  return {
    version,
    base: texts(base),
    clear: {},
    mine: texts(mine),
    attempt: sent.input === undefined || sent.key === undefined ? null : { input: sent.input, key: sent.key },
    at,
  };
}

/** The hub's web edge keeps drafts for the account of the session. */
export const keptDrafts: DraftHub = {
  async list() {
    try {
      const answer = await fetch(place, { credentials: 'same-origin', cache: 'no-store' });
      if (!answer.ok) return null;
      const { drafts } = (await answer.json()) as {
        readonly drafts: readonly { readonly place: string; readonly draft: unknown }[];
      };
      return new Map(
        drafts.flatMap((kept) => {
          const draft = readDraft(kept.draft);
          return draft === null ? [] : [[kept.place, draft] as const];
        }),
      );
    } catch {
      return null;
    }
  },
  async put(where, draft, leaving) {
    try {
      const { status } = await fetch(place, {
        method: 'PUT',
        credentials: 'same-origin',
        keepalive: leaving,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ place: where, draft }),
      });
      // Neither is mended by sending it again.
      if (status === 413 || status === 400) return 'too-large';
      return status === 204 ? 'kept' : 'away';
    } catch {
      return 'away';
    }
  },
};
