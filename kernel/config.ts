import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { catalogue, type Setting, type Wording } from './config-catalogue.ts';
import { settingsInForce, type SettingInForce } from './config-in-force.ts';
import type { TrustedIssuer } from './config-readers.ts';
import type { HubRole } from './db/roles.ts';
import { ok, refused, type Result } from './result.ts';

export type { TrustedIssuer } from './config-readers.ts';

type Name = keyof typeof catalogue;
type Values = { readonly [N in Name]: (typeof catalogue)[N] extends Setting<infer T> ? T : never };
type HopKey = NonNullable<Values['HUB_HOP_KEY']>;

export interface Settings {
  readonly production: boolean;
  readonly host: string;
  readonly port: number;
  readonly filesPort: number;
  /** `null`: `http://HOST:PORT` with the port that was really taken; see {@link publicUrl}. */
  readonly publicUrl: string | null;
  /** Whose `X-Forwarded-For` is believed: addresses and networks. */
  readonly trustedProxies: readonly string[];
  /** Absolute. */
  readonly dataDir: string;
  /** Where files lie on their way in and out; absolute. */
  readonly filesDir: string;
  /** The owner's; always null in a serving process. */
  readonly databaseUrl: string | null;
  readonly rolesFile: string;
  readonly rolePrefix: string;
  readonly redisUrl: string | null;
  readonly processes: 'one' | 'apart';
  readonly demo: boolean;
  readonly demoSeed: number;
  readonly populationUrl: string | null;
  readonly bhxhUrl: string | null;
  readonly population: PopulationSettings;
  readonly trustedIssuers: readonly TrustedIssuer[];
  /** By whom people may log in besides the hub itself; `null`: by nobody. */
  readonly outsideLogIn: OutsideLogInSettings | null;
  readonly ownIssuer: Values['HUB_OWN_ISSUER'];
  readonly identifierKey: Buffer | null;
  readonly hopKey: HopKey | null;
  readonly hopPublicKeys: readonly HopKey[];
  readonly subgraphs: Readonly<Record<string, string>>;
  readonly innerHost: string;
  readonly innerPort: number;
  readonly logLevel: Values['HUB_LOG_LEVEL'];
  readonly logFile: string | null;
  readonly traceEndpoint: string | null;
  readonly traceShare: number;
  /** Absolute; `null`: none was named. */
  readonly backupDir: string | null;
  readonly backupKey: Buffer | null;
  readonly backupsKept: number;
  readonly keep: Keep;
  /** Of the worker and the command line alone. */
  readonly auditKey: HopKey | null;
  readonly auditPublicKeys: readonly HopKey[];
  /** Absolute. */
  readonly auditHeadsDir: string;
}

/** An OpenID provider outside the hub by which people log in. */
export interface OutsideLogInSettings {
  /** Exactly as in `iss`. */
  readonly issuer: string;
  readonly client: string;
  readonly secret: string | null;
  readonly claim: string;
  /** On the button. */
  readonly name: string;
}

/** How the hub speaks to the population database; `null`: not given. */
export interface PopulationSettings {
  readonly user: string | null;
  readonly secret: string | null;
  readonly client: string | null;
  readonly apiKey: string | null;
  readonly officer: string | null;
  readonly unit: string | null;
  readonly procedure: string | null;
  /** Absolute. */
  readonly authorityFile: string | null;
  readonly callsPerSecond: number;
  readonly callsAtOnce: number;
  /** `01:30` in Việt Nam; `null`: never by itself. */
  readonly reconcileAt: string | null;
  readonly reconcileAfterDays: number;
}

/** How long what grows is kept. */
export interface Keep {
  readonly outboxDays: number;
  readonly answersDays: number;
  readonly stagingDays: number;
  readonly runsDays: number;
  readonly securityDays: number;
  readonly verificationsDays: number;
  readonly auditMonths: number;
  /** `null`: for ever. */
  readonly historyYears: number | null;
  readonly logMib: number;
}

/** One mistake in the settings; `en` and `vi` never hold the value of a secret. */
export interface SettingProblem extends Wording {
  readonly name: string;
}

/** Who reads: a serving process must not know the owner of the database. */
export type SettingsFor = 'operator' | 'serving';

type Environment = Readonly<Record<string, string | undefined>>;

/** Passwords that stand in examples and manuals; in production they are no secret. */
const knownPasswords = new Set([
  '',
  'postgres',
  'password',
  'secret',
  'changeme',
  'change-me',
  'lien-thong-demo',
  'hub',
  'admin',
  'redis',
]);

function passwordOf(address: string): string {
  return decodeURIComponent(URL.parse(address)?.password ?? '');
}

/** Without these nobody may ask the population database: each call names who asks, for which unit and procedure. */
export const askerSettings = [
  'POPULATION_USER',
  'POPULATION_SECRET',
  'POPULATION_OFFICER',
  'POPULATION_UNIT',
  'POPULATION_PROCEDURE',
] as const satisfies readonly Name[];

function problemsBetween(read: Partial<Values>, reader: SettingsFor): SettingProblem[] {
  const problems: SettingProblem[] = [];
  const add = (name: Name, en: string, vi: string) => problems.push({ name, en, vi });
  const { PORT, FILES_PORT } = read;
  if (PORT === 65_535 && FILES_PORT === null) {
    add('FILES_PORT', 'must be given when PORT is 65535', 'phải được đặt khi PORT là 65535');
  }
  if (PORT !== undefined && PORT !== 0 && PORT === FILES_PORT) {
    add('FILES_PORT', 'must differ from PORT', 'phải khác PORT');
  }
  if (reader === 'serving' && typeof read.DATABASE_URL === 'string') {
    add(
      'DATABASE_URL',
      'must not be given to a serving process: it works with the roles of HUB_ROLES_FILE',
      'không được đặt cho tiến trình phục vụ: tiến trình này dùng các vai trò trong HUB_ROLES_FILE',
    );
  }
  doorProblems(read, add);
  if (read.NODE_ENV === 'production') {
    if (read.HUB_DEMO === true) add('HUB_DEMO', 'must not be 1 in production', 'không được là 1 khi NODE_ENV=production');
    for (const name of ['DATABASE_URL', 'REDIS_URL'] as const) {
      const address = read[name];
      if (typeof address === 'string' && knownPasswords.has(passwordOf(address).toLowerCase())) {
        add(name, 'has no password or a well-known one', 'không có mật khẩu hoặc dùng mật khẩu ai cũng biết');
      }
    }
    const key = read.HUB_IDENTIFIER_KEY;
    if (key instanceof Buffer && new Set(key).size < 8) {
      add(
        'HUB_IDENTIFIER_KEY',
        'is not random: make one with `openssl rand -hex 32`',
        'không ngẫu nhiên: tạo bằng `openssl rand -hex 32`',
      );
    }
    const population = read.POPULATION_URL;
    if (typeof population === 'string') {
      if (!population.startsWith('https:'))
        add('POPULATION_URL', 'must be https in production', 'phải là https khi vận hành thật');
      // Of the serving processes only the worker asks; it looks for itself.
      const needed = reader === 'operator' ? askerSettings.filter((name) => read[name] === null) : [];
      for (const name of needed) add(name, 'is needed with POPULATION_URL', 'phải được đặt khi có POPULATION_URL');
    }
    const address = read.HUB_PUBLIC_URL;
    if (typeof address === 'string' && !address.startsWith('https:')) {
      add('HUB_PUBLIC_URL', 'must be https in production', 'phải là https khi vận hành thật');
    }
  }
  return problems;
}

/** Somebody must be able to come in, and whoever lets people in must be known whole. */
function doorProblems(read: Partial<Values>, add: (name: Name, en: string, vi: string) => void): void {
  const { HUB_LOGIN_ISSUER: outside, HUB_LOGIN_CLIENT: client, HUB_OWN_ISSUER: own, HUB_TRUSTED_ISSUERS: trusted } = read;
  if (typeof outside === 'string' && client === null) {
    add('HUB_LOGIN_CLIENT', 'is needed with HUB_LOGIN_ISSUER', 'phải được đặt khi có HUB_LOGIN_ISSUER');
  }
  if (own !== undefined && own !== 'all' && outside === null) {
    add(
      'HUB_OWN_ISSUER',
      `must not be ${own} without HUB_LOGIN_ISSUER: nobody could log in`,
      `không được là ${own} khi không có HUB_LOGIN_ISSUER: sẽ không ai đăng nhập được`,
    );
  }
  if (own === 'none' && trusted === null) {
    add(
      'HUB_OWN_ISSUER',
      'must not be none without HUB_TRUSTED_ISSUERS: no client could come in',
      'không được là none khi không có HUB_TRUSTED_ISSUERS: sẽ không hệ thống nào kết nối được',
    );
  }
  const address = read.HUB_PUBLIC_URL?.replace(/\/+$/, '');
  if (address !== undefined && (outside === address || trusted?.some(({ issuer }) => issuer === address) === true)) {
    add(
      outside === address ? 'HUB_LOGIN_ISSUER' : 'HUB_TRUSTED_ISSUERS',
      'must not be the hub itself',
      'không được là chính hệ thống này',
    );
  }
  if (read.NODE_ENV !== 'production') return;
  if (typeof outside === 'string' && !outside.startsWith('https:')) {
    add('HUB_LOGIN_ISSUER', 'must be https in production', 'phải là https khi vận hành thật');
  }
  if (trusted?.some(({ issuer, jwksUri }) => !issuer.startsWith('https:') || !jwksUri.startsWith('https:')) === true) {
    add('HUB_TRUSTED_ISSUERS', 'must be https in production', 'phải là https khi vận hành thật');
  }
}

/** The text of a variable, or of the file that `NAME_FILE` names (secrets only). An empty one counts as not given. */
function given(env: Environment, name: Name, secret: boolean): Result<string | undefined, Wording> {
  const value = env[name];
  if (value !== undefined && value.trim() !== '') return ok(value);
  const file = secret ? env[`${name}_FILE`] : undefined;
  if (file === undefined || file === '') return ok(undefined);
  if (!existsSync(file)) return refused({ en: `its file ${file} does not exist`, vi: `không có tệp ${file}` });
  return ok(readFileSync(file, 'utf8').trim());
}

/** Reads every setting; on failure every mistake, never only the first. `base` is where relative folders start. */
export function readSettings(env: Environment, reader: SettingsFor, base: string): Result<Settings, readonly SettingProblem[]> {
  const problems: SettingProblem[] = [];
  const read: Record<string, unknown> = {};
  for (const [name, entry] of Object.entries(catalogue) as [Name, Setting<unknown>][]) {
    const value = given(env, name, entry.secret === true);
    if (!value.ok) {
      problems.push({ name, ...value.error });
      continue;
    }
    const parsed = entry.read.safeParse(value.value);
    if (parsed.success) {
      read[name] = parsed.data;
      continue;
    }
    const shown = entry.secret === true || value.value === undefined ? '' : `"${value.value.slice(0, 60)}" `;
    problems.push({ name, en: `${shown}is not ${entry.wanted.en}`, vi: `${shown}không phải là ${entry.wanted.vi}` });
  }
  problems.push(...problemsBetween(read, reader));
  if (problems.length > 0) return refused(problems);

  const values = read as unknown as Values;
  const production = values.NODE_ENV === 'production';
  const dataDir = resolve(base, values.HUB_DATA_DIR);
  return ok({
    production,
    host: values.HOST,
    port: values.PORT,
    filesPort: values.FILES_PORT ?? (values.PORT === 0 ? 0 : values.PORT + 1),
    publicUrl: values.HUB_PUBLIC_URL?.replace(/\/+$/, '') ?? null,
    trustedProxies: values.HUB_TRUSTED_PROXIES ?? [],
    dataDir,
    filesDir: values.HUB_FILES_DIR === null ? join(dataDir, 'files') : resolve(base, values.HUB_FILES_DIR),
    databaseUrl: values.DATABASE_URL,
    rolesFile: values.HUB_ROLES_FILE === null ? join(dataDir, 'roles.json') : resolve(base, values.HUB_ROLES_FILE),
    rolePrefix: values.HUB_ROLE_PREFIX,
    redisUrl: values.REDIS_URL,
    processes: values.HUB_PROCESSES,
    demo: values.HUB_DEMO ?? !production,
    demoSeed: values.HUB_DEMO_SEED,
    populationUrl: values.POPULATION_URL,
    bhxhUrl: values.BHXH_URL,
    population: {
      user: values.POPULATION_USER,
      secret: values.POPULATION_SECRET,
      client: values.POPULATION_CLIENT,
      apiKey: values.POPULATION_API_KEY,
      officer: values.POPULATION_OFFICER,
      unit: values.POPULATION_UNIT,
      procedure: values.POPULATION_PROCEDURE,
      authorityFile: values.POPULATION_CA_FILE === null ? null : resolve(base, values.POPULATION_CA_FILE),
      callsPerSecond: values.POPULATION_CALLS_PER_SECOND,
      callsAtOnce: values.POPULATION_CALLS_AT_ONCE,
      reconcileAt: values.HUB_RECONCILE_AT === 'never' ? null : values.HUB_RECONCILE_AT,
      reconcileAfterDays: values.HUB_RECONCILE_AFTER_DAYS,
    },
    trustedIssuers: values.HUB_TRUSTED_ISSUERS ?? [],
    outsideLogIn: outsideLogInOf(values),
    ownIssuer: values.HUB_OWN_ISSUER,
    identifierKey: values.HUB_IDENTIFIER_KEY,
    hopKey: values.HUB_HOP_KEY,
    hopPublicKeys: values.HUB_HOP_PUBLIC_KEYS ?? [],
    subgraphs: values.HUB_SUBGRAPHS ?? {},
    innerHost: values.HUB_INNER_HOST,
    innerPort: values.HUB_INNER_PORT,
    logLevel: values.HUB_LOG_LEVEL,
    logFile: values.HUB_LOG_FILE === null ? null : resolve(base, values.HUB_LOG_FILE),
    traceEndpoint: values.OTEL_EXPORTER_OTLP_ENDPOINT,
    traceShare: values.HUB_TRACE_PERCENT / 100,
    backupDir: values.HUB_BACKUP_DIR === null ? null : resolve(base, values.HUB_BACKUP_DIR),
    backupKey: values.HUB_BACKUP_KEY,
    backupsKept: values.HUB_BACKUPS_KEPT,
    auditKey: values.HUB_AUDIT_KEY,
    auditPublicKeys: values.HUB_AUDIT_PUBLIC_KEYS ?? [],
    auditHeadsDir: values.HUB_AUDIT_HEADS_DIR === null ? join(dataDir, 'audit-heads') : resolve(base, values.HUB_AUDIT_HEADS_DIR),
    keep: {
      outboxDays: values.HUB_KEEP_OUTBOX_DAYS,
      answersDays: values.HUB_KEEP_ANSWERS_DAYS,
      stagingDays: values.HUB_KEEP_STAGING_DAYS,
      runsDays: values.HUB_KEEP_RUNS_DAYS,
      securityDays: values.HUB_KEEP_SECURITY_DAYS,
      verificationsDays: values.HUB_KEEP_VERIFICATIONS_DAYS,
      auditMonths: values.HUB_KEEP_AUDIT_MONTHS,
      historyYears: values.HUB_KEEP_HISTORY_YEARS,
      logMib: values.HUB_LOG_MIB,
    },
  });
}

function outsideLogInOf(values: Values): OutsideLogInSettings | null {
  const { HUB_LOGIN_ISSUER: issuer, HUB_LOGIN_CLIENT: client } = values;
  if (issuer === null || client === null) return null;
  return {
    issuer,
    client,
    secret: values.HUB_LOGIN_SECRET,
    claim: values.HUB_LOGIN_CLAIM,
    name: values.HUB_LOGIN_NAME ?? new URL(issuer).hostname,
  };
}

/** Every mistake, one a line, both languages. */
export function problemsText(problems: readonly SettingProblem[]): string {
  const lines = problems.map(({ name, en, vi }) => `  ${name} ${vi} · ${name} ${en}`);
  return ['Cài đặt chưa đúng, hệ thống không khởi động · The settings are wrong, nothing was started:', ...lines].join('\n');
}

/** The repository, wherever it lies: relative settings start there, not where the shell happens to stand. */
export const hubFolder = resolve(import.meta.dirname, '..');

/** The settings of this process; on mistakes they are told and the process ends with exit code 2. */
export function settingsOrExit(reader: SettingsFor): Settings {
  const settings = readSettings(process.env, reader, hubFolder);
  if (settings.ok) return settings.value;
  process.stderr.write(`${problemsText(settings.error)}\n`);
  process.exit(2);
}

/** The settings of this process for people to look at. */
export function ownSettingsInForce(): readonly SettingInForce[] {
  return settingsInForce(process.env);
}

/** Where others reach the hub that listens on this port: what tokens name as their issuer. */
export function publicUrlOf({ publicUrl, host }: Pick<Settings, 'publicUrl' | 'host'>, port: number): string {
  if (publicUrl !== null) return publicUrl;
  // Listening on every address is no address.
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
}

/** Where others reach the files origin: the same host under a port of its own; `null`: it takes a port that nobody knows beforehand. */
export function filesUrlOf(settings: Pick<Settings, 'publicUrl' | 'host' | 'port' | 'filesPort'>): string | null {
  if (settings.filesPort === 0) return null;
  const address = new URL(publicUrlOf(settings, settings.port));
  address.port = String(settings.filesPort);
  return address.origin;
}

/** The addresses that the migration wrote (or production gave). A role that the file lacks is refused when it is asked for. */
export function readRoleUrls(settings: Pick<Settings, 'rolesFile'>): (role: HubRole) => string {
  const roles = z.record(z.string(), z.string()).parse(JSON.parse(readFileSync(settings.rolesFile, 'utf8')));
  return (role) => {
    const found = roles[role];
    if (found === undefined) throw new Error(`${settings.rolesFile} has no address for the database role "${role}"`);
    return found;
  };
}

/** `@apollo/gateway` reports to its vendor and asks cloud metadata unless this stands in the environment before it is constructed. */
export function refuseVendorTelemetry(): void {
  process.env.APOLLO_TELEMETRY_DISABLED = 'true';
}
