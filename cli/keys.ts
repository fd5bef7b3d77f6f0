import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { makeHopKey } from '#kernel/auth/hop.ts';
import type { Settings } from '#kernel/config.ts';
import { alone, writeSafely } from './data-dir.ts';

/** Secrets of one installation that the settings do not give: made once, in keys.json (0600) of the data directory. */
export interface InstallationKeys {
  /** Key of the hashes of identifiers, 32 bytes. */
  readonly identifierKey: Buffer;
  /** JSON texts as HUB_HOP_KEY and HUB_HOP_PUBLIC_KEYS take them. */
  readonly hopKey: string;
  readonly hopPublicKeys: string;
}

const File = z.object({
  identifierKey: z.string().regex(/^[0-9a-f]{64}$/),
  hop: z.object({ secret: z.unknown(), open: z.unknown() }),
});

function readKeys(path: string): z.infer<typeof File> | null {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return null;
  }
  // A damaged file must not be replaced: the stored hashes hang on the key in it.
  return File.parse(JSON.parse(text));
}

export async function installationKeys(settings: Settings, signal: AbortSignal): Promise<InstallationKeys> {
  const path = join(settings.dataDir, 'keys.json');
  const kept =
    readKeys(path) ??
    (await alone(`${path}.guard`, signal, () => {
      const made = readKeys(path) ?? { identifierKey: randomBytes(32).toString('hex'), hop: makeHopKey() };
      writeSafely(path, JSON.stringify(made));
      return Promise.resolve(made);
    }));
  const given = settings.hopKey;
  const open = given === null ? kept.hop.open : { kty: given.kty, crv: given.crv, kid: given.kid, x: given.x };
  return {
    identifierKey: settings.identifierKey ?? Buffer.from(kept.identifierKey, 'hex'),
    hopKey: JSON.stringify(given ?? kept.hop.secret),
    hopPublicKeys: JSON.stringify(settings.hopPublicKeys.length > 0 ? settings.hopPublicKeys : [open]),
  };
}
