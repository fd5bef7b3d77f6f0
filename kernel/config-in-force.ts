import { catalogue, type Setting, type Wording } from './config-catalogue.ts';

/*
 * The settings as this process has them, for people to look at. A secret is never among them, nor what may hide one in an address: only
 * that it is set. The text of the environment is shown as it was given, not as it was read.
 */

export interface SettingInForce {
  readonly name: string;
  readonly meaning: Wording;
  readonly secret: boolean;
  /** `null` for a secret, where this process was not given it, and where nothing is given and none stands for it. */
  readonly value: string | null;
  readonly origin: 'DEFAULT' | 'ENVIRONMENT' | 'FILE' | 'START' | 'ELSEWHERE';
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Tells a process which settings the operator gave, by name; all others in its environment were worked out at the start. */
export const givenSettings = 'HUB_GIVEN';

const entries: readonly (readonly [string, Setting<unknown>])[] = Object.entries(catalogue);

/** Names alone, and of files with secrets `NAME_FILE`. */
export function namesGiven(env: Environment): string {
  const names = entries.flatMap(([name, { secret }]) => (secret === true ? [name, `${name}_FILE`] : [name]));
  return names.filter((name) => (env[name] ?? '').trim() !== '').join(',');
}

/** What no serving process is told. */
const kept = new Set(['DATABASE_URL', 'HUB_BACKUP_KEY', 'HUB_AUDIT_KEY']);

export function settingsInForce(env: Environment): readonly SettingInForce[] {
  const told = env[givenSettings]?.split(',') ?? null;
  return entries.map(([name, { read, what, secret }]) => {
    const here = env[name]?.trim() ?? '';
    const asFile = secret === true && (env[`${name}_FILE`] ?? '').trim() !== '';
    const given = told === null ? null : { itself: told.includes(name), asFile: told.includes(`${name}_FILE`) };
    const origin = originOf({ here: here !== '', asFile }, given, kept.has(name));
    const known = origin === 'ELSEWHERE' || secret === true ? null : here === '' ? standardOf(read) : withoutSecrets(here);
    return { name, meaning: what, secret: secret === true, value: known, origin };
  });
}

/** What it is when nobody gives it; `null`: nothing, or it is worked out from others. */
function standardOf(read: Setting<unknown>['read']): string | null {
  const { data } = read.safeParse(undefined);
  return typeof data === 'string' || typeof data === 'number' ? String(data) : null;
}

function originOf(
  here: { readonly here: boolean; readonly asFile: boolean },
  given: { readonly itself: boolean; readonly asFile: boolean } | null,
  isKept: boolean,
): SettingInForce['origin'] {
  const isHere = here.here || here.asFile;
  // Without a supervisor nobody says what the others were given.
  if (given === null) return here.here ? 'ENVIRONMENT' : here.asFile ? 'FILE' : isKept ? 'ELSEWHERE' : 'DEFAULT';
  if (!isHere) return given.itself || given.asFile ? 'ELSEWHERE' : 'DEFAULT';
  return given.itself ? 'ENVIRONMENT' : given.asFile ? 'FILE' : 'START';
}

/** Addresses without who logs in there and without their query. */
function withoutSecrets(text: string): string {
  return text.replace(/\/\/[^/\s"',]*@/g, '//…@').replace(/(:\/\/[^\s"',?#]*)[?#][^\s"',]*/g, '$1?…');
}
