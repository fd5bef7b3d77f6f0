import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { purposes, type Purpose } from '../auth/purposes.ts';

/*
 * Links to the files origin: what may be done, with which file, by whom, until when; sealed under a key of the installation, so that an address
 * names nobody and tells nothing. Whoever has the link may use it; that it is used once is kept where the file stands.
 */

/** `upload`: bytes of an import come in. `refused`: its refused rows go out. `export`: the file of an export goes out. */
const uses = ['upload', 'refused', 'export'] as const;
export type LinkUse = (typeof uses)[number];

/** Under whose rights a file goes out, as he stands when the link is used. */
export interface LinkHolder {
  readonly principal: string;
  readonly purpose: Purpose;
  readonly locale: 'vi' | 'en';
}

export interface Link {
  readonly use: LinkUse;
  /** Id of the import or export. */
  readonly id: string;
  readonly expiresAt: Date;
  /** `null`: nobody in particular, for bytes that come in. */
  readonly holder: LinkHolder | null;
}

/** A link that was opened: `no` is its own, for keeping that it was used. */
export interface OpenedLink extends Link {
  readonly no: string;
}

export interface SignedLinks {
  /** Behind `/files/`. */
  seal(link: Link): string;
  /** `null`: not ours, or its time is over. */
  open(text: string, now: Date): OpenedLink | null;
}

/** Milliseconds in which a link may be used. */
export const linkLife = 900_000;

export function signedLinks(installationKey: Buffer): SignedLinks {
  const key = Buffer.from(hkdfSync('sha256', installationKey, '', 'links of the files origin', 32));
  return {
    seal({ use, id, expiresAt, holder }) {
      const seconds = Math.floor(expiresAt.getTime() / 1_000);
      const said = JSON.stringify(
        holder === null ? [use, id, seconds] : [use, id, seconds, holder.principal, holder.purpose, holder.locale],
      );
      const iv = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', key, iv);
      const sealed = Buffer.concat([cipher.update(said), cipher.final()]);
      return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url');
    },
    open(text, now) {
      const said = unsealed(key, text);
      if (said === null) return null;
      const [use, id, seconds, principal, purpose, locale] = said;
      const known = uses.find((one) => one === use);
      if (known === undefined || typeof id !== 'string' || typeof seconds !== 'number') return null;
      const expiresAt = new Date(seconds * 1_000);
      if (expiresAt <= now) return null;
      const stated = purposes.find((one) => one === purpose);
      const holder =
        typeof principal === 'string' && stated !== undefined
          ? { principal, purpose: stated, locale: locale === 'en' ? ('en' as const) : ('vi' as const) }
          : null;
      // The first bytes are random, so no two links have them in common.
      return { use: known, id, expiresAt, holder, no: text.slice(0, 16) };
    },
  };
}

function unsealed(key: Buffer, text: string): readonly unknown[] | null {
  if (!/^[A-Za-z0-9_-]{40,1000}$/.test(text)) return null;
  const bytes = Buffer.from(text, 'base64url');
  // Two texts of the same bytes would be two links.
  if (bytes.length < 29 || bytes.toString('base64url') !== text) return null;
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 });
    decipher.setAuthTag(bytes.subarray(12, 28));
    const said: unknown = JSON.parse(Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString());
    return Array.isArray(said) ? (said as readonly unknown[]) : null;
  } catch {
    return null;
  }
}
