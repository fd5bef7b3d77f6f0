import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { makeAuditKey, type AuditJwk } from '#kernel/audit/heads.ts';
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
  /** Signs the heads of the audit. */
  readonly auditKey: AuditJwk;
}

const File = z.object({
  identifierKey: z.string().regex(/^[0-9a-f]{64}$/),
  hop: z.object({ secret: z.unknown(), open: z.unknown() }),
  // Absent in a folder that an earlier version made.
  audit: z.object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), kid: z.string(), x: z.string(), d: z.string() }).optional(),
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

type Keys = z.infer<typeof File>;

function isWhole(keys: Keys | null): keys is Keys & { readonly audit: NonNullable<Keys['audit']> } {
  return keys?.audit !== undefined;
}

export async function installationKeys(settings: Settings, signal: AbortSignal): Promise<InstallationKeys> {
  const path = join(settings.dataDir, 'keys.json');
  const there = readKeys(path);
  const kept = isWhole(there)
    ? there
    : await alone(`${path}.guard`, signal, () => {
        const found = readKeys(path);
        const made = {
          identifierKey: found?.identifierKey ?? randomBytes(32).toString('hex'),
          hop: found?.hop ?? makeHopKey(),
          audit: found?.audit ?? makeAuditKey(),
        };
        writeSafely(path, JSON.stringify(made));
        return Promise.resolve(made);
      });
  const given = settings.hopKey;
  const open = given === null ? kept.hop.open : { kty: given.kty, crv: given.crv, kid: given.kid, x: given.x };
  return {
    identifierKey: settings.identifierKey ?? Buffer.from(kept.identifierKey, 'hex'),
    auditKey: settings.auditKey ?? kept.audit,
    hopKey: JSON.stringify(given ?? kept.hop.secret),
    hopPublicKeys: JSON.stringify(settings.hopPublicKeys.length > 0 ? settings.hopPublicKeys : [open]),
  };
}
