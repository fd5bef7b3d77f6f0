import { createHash, hash as digest, randomBytes, timingSafeEqual } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';

/*
 * Passwords and client secrets at rest.
 *
 * Passwords, and secrets short enough to be guessed, are kept as argon2id (PHC text); secrets that the hub made itself have 256
 * bits and are kept as SHA-256, for a slow hash adds nothing to them. Comparing takes the same time whether the subject exists or
 * not, and whichever of the two kinds its secret is: one who measures learns nothing.
 */

/** OWASP's minimum for argon2id: 19 MiB, two passes; about 20 ms on the machines this was measured on. */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** How many secrets a client may have at once: the present one, and the one before it while it is being replaced. */
const secretsAtOnce = 2;

/** Secrets made here start so; nobody's own secret is taken for one, since `hashSecret` demands the full length too. */
const madeHere = /^lts_[A-Za-z0-9_-]{43}$/;

/** argon2id of a random text that nobody knows: what is compared when there is nothing to compare with. */
let decoy: Promise<string> | null = null;

export function hashPassword(password: string): Promise<string> {
  return hash(password.normalize('NFC'), cost);
}

/** `null`: there is no such account, or it has no password; takes as long as a real comparison and is false. */
export async function verifyPassword(stored: string | null, password: string): Promise<boolean> {
  return await slowMatch(stored, password.normalize('NFC'));
}

/** A secret with 256 bits, to be shown once. */
export function newSecret(): string {
  return `lts_${randomBytes(32).toString('base64url')}`;
}

export async function hashSecret(secret: string): Promise<string> {
  return madeHere.test(secret) ? quickHash(secret) : await hash(secret, cost);
}

/** Whether one of the stored hashes belongs to this secret; an empty list takes as long as a full one. */
export async function verifySecret(stored: readonly string[], secret: string): Promise<boolean> {
  const quick = Buffer.from(quickHash(secret));
  let matches = false;
  for (const known of stored) {
    const bytes = Buffer.from(known);
    if (bytes.length === quick.length && timingSafeEqual(bytes, quick)) matches = true;
  }
  if (matches) return true;
  // A wrong secret always costs as many slow comparisons as a client may have secrets.
  const slow = stored.filter((known) => known.startsWith('$argon2id$')).slice(0, secretsAtOnce);
  const answers = await Promise.all(Array.from({ length: secretsAtOnce }, (_, n) => slowMatch(slow[n] ?? null, secret)));
  return answers.includes(true);
}

async function slowMatch(stored: string | null, secret: string): Promise<boolean> {
  decoy ??= hash(randomBytes(32), cost);
  const matches = await verify(stored ?? (await decoy), secret).catch(() => false);
  return stored !== null && matches;
}

function quickHash(secret: string): string {
  return `sha256:${createHash('sha256').update(secret).digest('base64url')}`;
}

/** Key of a cache entry for a credential: the credential itself stays in no heap longer than its request. */
export function fingerprint(credential: string): string {
  return digest('sha256', credential, 'base64url');
}
