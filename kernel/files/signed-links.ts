import { createHmac, timingSafeEqual } from 'node:crypto';

/*
 * Links to the files origin: what may be done, with which file, until when, sealed under a key of the installation. Whoever has the link may use
 * it; that it is used once is kept where the file stands. It names no person.
 */

export type LinkUse = 'upload';

export interface Link {
  readonly use: LinkUse;
  /** Id of the import. */
  readonly id: string;
  readonly expiresAt: Date;
}

export interface SignedLinks {
  /** Behind `/files/`. */
  seal(link: Link): string;
  /** `null`: not ours, or its time is over. */
  open(text: string, now: Date): Link | null;
}

export function signedLinks(installationKey: Buffer): SignedLinks {
  const key = createHmac('sha256', installationKey).update('links of the files origin').digest();
  const mac = (payload: string): Buffer => createHmac('sha256', key).update(payload).digest();
  return {
    seal({ use, id, expiresAt }) {
      const payload = `${use}.${id}.${String(Math.floor(expiresAt.getTime() / 1_000))}`;
      return `${payload}.${mac(payload).toString('base64url')}`;
    },
    open(text, now) {
      const found = /^((upload)\.([0-9a-f-]{36})\.([0-9]{1,12}))\.([A-Za-z0-9_-]{43})$/.exec(text);
      if (found === null) return null;
      const [, payload = '', , id = '', seconds = '', sent = ''] = found;
      if (!timingSafeEqual(mac(payload), Buffer.from(sent, 'base64url'))) return null;
      const expiresAt = new Date(Number(seconds) * 1_000);
      return expiresAt > now ? { use: 'upload', id, expiresAt } : null;
    },
  };
}
