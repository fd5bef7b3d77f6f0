import { isIP } from 'node:net';
import { z } from 'zod';

/* How the text of a setting becomes a value. */

export const text = z.string().trim().min(1);
export const optional = <T>(schema: z.ZodType<T, string>) => schema.optional().transform((value) => value ?? null);
export const whole = (min: number, max: number) =>
  text
    .regex(/^\d{1,9}$/)
    .transform(Number)
    .pipe(z.int().min(min).max(max));
export const yesNo = text
  .toLowerCase()
  .pipe(z.enum(['0', '1', 'true', 'false', 'yes', 'no']))
  .transform((value) => value === '1' || value === 'true' || value === 'yes');
export const url = (...protocols: string[]) =>
  text.refine((value) => {
    const parsed = URL.parse(value);
    return parsed !== null && protocols.includes(parsed.protocol) && parsed.hostname !== '';
  });
export const httpUrl = url('http:', 'https:');
export const postgresUrl = url('postgresql:', 'postgres:');
export const jwk = text.transform((value, context) => {
  const parsed = z
    .object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), kid: z.string(), x: z.string(), d: z.string().optional() })
    .safeParse(json(value));
  if (parsed.success) return parsed.data;
  context.addIssue({ code: 'custom', message: 'no key' });
  return z.NEVER;
});

export function json(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}

/** `name=http://host:port`, comma-separated. */
export const subgraphAddresses = text.transform((value, context) => {
  const found: Record<string, string> = {};
  for (const part of value.split(',')) {
    const at = part.indexOf('=');
    const name = part.slice(0, Math.max(at, 0)).trim();
    const address = part.slice(at + 1).trim();
    if (name === '' || !httpUrl.safeParse(address).success) {
      context.addIssue({ code: 'custom', message: 'not name=address' });
      return z.NEVER;
    }
    found[name] = address;
  }
  return found;
});

/** Addresses and networks (`10.0.0.5`, `10.0.0.0/8`, `fd00::/8`), comma-separated. A network of everybody is no network. */
export const networks = text.transform((value, context): string[] => {
  const parts = value.split(',').map((part) => part.trim());
  if (parts.every(isNetwork)) return parts;
  context.addIssue({ code: 'custom', message: 'no list of addresses' });
  return z.NEVER;
});

function isNetwork(part: string): boolean {
  const [address = '', prefix, ...more] = part.split('/');
  const version = isIP(address);
  if (version === 0 || address.includes('%') || more.length > 0) return false;
  return prefix === undefined || (/^[1-9]\d{0,2}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128));
}

/** Another OpenID provider whose access tokens count, when they are meant for `urn:hub`. */
export interface TrustedIssuer {
  readonly issuer: string;
  readonly jwksUri: string;
  /** The claim that names the caller. */
  readonly claim: string;
  /** Whether it names an account by its log-in or a client by its id. */
  readonly names: 'account' | 'client';
}
export const issuers = text.transform((value, context): TrustedIssuer[] => {
  const parsed = z
    .array(
      z.strictObject({
        issuer: httpUrl,
        jwksUri: httpUrl,
        claim: text.regex(/^[A-Za-z][\w:./-]{0,99}$/).default('sub'),
        names: z.enum(['account', 'client']).default('account'),
      }),
    )
    .min(1)
    .safeParse(json(value));
  if (parsed.success) return parsed.data;
  context.addIssue({ code: 'custom', message: 'no list of issuers' });
  return z.NEVER;
});

/** One or two public keys: two while they are being exchanged. */
export const publicKeys = text.transform((value, context) => {
  const keys = z.array(z.unknown()).min(1).max(2).safeParse(json(value));
  const read = keys.success ? keys.data.map((key) => jwk.safeParse(JSON.stringify(key))) : [];
  const good = read.flatMap((key) => (key.success && key.data.d === undefined ? [key.data] : []));
  if (good.length > 0 && good.length === read.length) return good;
  context.addIssue({ code: 'custom', message: 'no list of public keys' });
  return z.NEVER;
});
