/*
 * What somebody was typing into a form of the admin, as the web edge keeps it for him. It lies with organisation, sealed for his account,
 * since nothing of a person may lie in a browser's storage. It ends 24 h after the last letter, with a log-out of the account, wherever it
 * was, and with whatever ends all sessions of the account.
 */

export interface KeptDraft {
  /** Record and act: `citizens/<id>/update`; holds ids and words of ours alone. */
  readonly place: string;
  /** JSON as the admin wrote it. */
  readonly draft: string;
  readonly savedAt: Date;
}

/** By the SHA-256 of the session's secret: whoever has no live session has no drafts. */
export interface DraftSource {
  /** Of the session's account, the newest first; `null`: the session is dead. */
  list(key: string): Promise<readonly KeptDraft[] | null>;
  /** A `null` draft is thrown away. False: the session is dead. */
  keep(key: string, place: string, draft: string | null): Promise<boolean>;
}

export const draftPlaceForm = /^[a-z]{1,30}\/[\w-]{1,64}\/[A-Za-z-]{1,30}$/;

/** `bytes` of one, `perAccount` at once: the next one takes the place of the oldest; `hours` from the last letter. */
export const draftLimits = { bytes: 32_768, perAccount: 30, hours: 24 } as const;
