import type { FastifyPluginCallback } from 'fastify';
import { Gauge, type Registry } from 'prom-client';
import type { TrustedIssuer } from '#kernel/auth/authenticate.ts';
import { hopHeader, type HopVerifier } from '#kernel/auth/hop.ts';
import { answerQuestion, principalsPath } from '#kernel/auth/organisation-hop.ts';
import type { DraftSource } from '#kernel/auth/drafts.ts';
import type { PrincipalSource } from '#kernel/auth/principal.ts';
import { securityLog, type SecurityLog } from '#kernel/auth/security-log.ts';
import type { SessionSource } from '#kernel/auth/sessions.ts';
import type { Clock } from '#kernel/clock.ts';
import type { SettingInForce } from '#kernel/config-in-force.ts';
import type { Settings } from '#kernel/config.ts';
import { hubEntities } from '#kernel/db/hub.entity.ts';
import { exportJob } from '#kernel/exports/export-job.ts';
import type { FileRegister } from '#kernel/files/file-register.ts';
import type { FileStore } from '#kernel/files/file-store.ts';
import { signedLinks } from '#kernel/files/signed-links.ts';
import { importJobs } from '#kernel/imports/import-job.ts';
import { cursorBindings } from '#kernel/page.ts';
import type { SubgraphModule } from '#kernel/subgraph.ts';
import { AccountChanges } from './account-changes.ts';
import { openOrganisationDatabase, type OrganisationDatabase } from './database.ts';
import { Drafts } from './drafts.ts';
import { accountsImport } from './import-accounts.ts';
import { ExportDesk } from './export-desk.ts';
import { auditExport, workExport } from './export-lists.ts';
import { openFileRegister } from './file-register.ts';
import { ImportDesk } from './import-desk.ts';
import { unitsImport } from './import-units.ts';
import { openOAuth, type WaysIn } from './oidc.ts';
import { Organisation } from './organisation.ts';
import { organisationEntities } from './organisation.entity.ts';
import { Principals } from './principals.ts';
import { writeEvents } from './security-events.ts';
import { SecondFactor } from './second-factor.ts';
import { Sealed } from './sealed.ts';
import { RunOrders } from './run-orders.ts';
import { Sessions } from './sessions.ts';
import { resolvers, type OrganisationContext } from './resolvers.ts';
import { signatureAlgorithm, SigningKeys, tokenLifetime } from './signing-keys.ts';
import { UnitChanges } from './unit-changes.ts';
import { UnitDirectory, unitRowsText, type UnitRow } from './units.ts';
import { feedWork } from './work-feed.ts';

export { openRegister, type Register } from './register.ts';

/** The graph of the organisation: units, who is asking, the audit, runs, the joint queue of work. */
export const organisation: SubgraphModule = {
  name: 'organisation',
  schema: new URL('./schema.graphql', import.meta.url),
  entities: [...organisationEntities, ...hubEntities],
  imports: [unitsImport, accountsImport],
  exports: [workExport, auditExport],
  jobs: [...importJobs(unitsImport), exportJob(workExport), exportJob(auditExport)],
  open({ door, auditor, clock, identifierKey, changes, filesOrigin, settings }) {
    // Units are no personal data: read under no scope at all.
    const nothing = { units: '{}', unitCount: 0, citizenId: null };
    const load = () => door.rows<UnitRow>('units.all', `${unitRowsText} where $1::int4multirange is not null`, nothing, []);
    const source = {
      door,
      auditor: auditor ?? null,
      units: new UnitDirectory(load, clock),
      cursors: cursorBindings(identifierKey),
      settings: settings ?? ((): readonly SettingInForce[] => []),
    };
    const unitChanges =
      changes === undefined
        ? null
        : new UnitChanges(changes, () => {
            source.units.forget();
          });
    const runOrders = changes === undefined ? null : new RunOrders(changes);
    const accountChanges = changes === undefined ? null : new AccountChanges(changes);
    const files = { links: signedLinks(identifierKey), origin: filesOrigin ?? null };
    const importDesk = changes === undefined ? null : new ImportDesk(changes, files);
    const exportDesk = changes === undefined ? null : new ExportDesk(changes, files);
    return {
      resolvers,
      context: (call): OrganisationContext => ({
        call,
        organisation: new Organisation(source, call),
        unitChanges,
        runOrders,
        accountChanges,
        importDesk,
        exportDesk,
      }),
      close: () => Promise.resolve(),
    };
  },
};

export interface IdentityOptions {
  /** Login of organisation's own role. */
  readonly url: string;
  /** Secret of this installation: the signing keys are wrapped under it. */
  readonly identifierKey: Buffer;
  /** Public address, `iss` of every token; asked anew each time, since a free port is known only after listening. */
  readonly issuer: () => string;
  readonly clock: Clock;
  /** Passwords and tokens for clients, unless given. */
  readonly ways?: WaysIn;
  /** Where files lie on their way in and out; absent where nobody asks for them. */
  readonly store?: FileStore;
  readonly registry?: Registry;
  /** A fault of ours, by name only. */
  readonly report: (fault: 'oauth.fault' | 'housekeeping.fault') => void;
}

/** Who somebody is: the OpenID provider and the principals behind its tokens. */
export interface Identity {
  readonly principals: PrincipalSource;
  /** Who is logged in to the admin. */
  readonly sessions: SessionSource;
  /** What they were typing. */
  readonly drafts: DraftSource;
  /** Where whoever serves the edge notes refusals. */
  readonly security: SecurityLog;
  /** Our own entry in the list of trusted issuers. */
  trusted(): TrustedIssuer;
  /** `/oauth/*` and `/.well-known/*` at the edge; the address is what the edge takes for the client's. */
  edgeRoutes(addressOf: (request: { readonly ip: string }) => string): FastifyPluginCallback;
  /** The same and the principals, in organisation's own process: whatever the gateway did not seal is refused. */
  hopRoutes(verifier: HopVerifier): FastifyPluginCallback;
  /** What the files origin asks; `null`: this process was given no place of files. */
  readonly files: FileRegister | null;
  /** Moves what the subgraphs said of their work into the joint queue; how many events it took (1,000: more may wait). */
  feedWork(): Promise<number>;
  ping(): Promise<void>;
  /** Rejects while the workers do not reach the queue, or nobody has looked at it for long. In PostgreSQL it is there when PostgreSQL is. */
  reachQueue(): Promise<void>;
  close(): Promise<void>;
}

/** Every ten minutes expired payloads and ended keys are deleted. */
const housekeepingEvery = 600_000;

/** Who may still come in by the hub's own provider, as the settings say. */
export function waysIn({ ownIssuer, outsideLogIn }: Pick<Settings, 'ownIssuer' | 'outsideLogIn'>): WaysIn {
  return { passwords: ownIssuer === 'all', clients: ownIssuer !== 'none', outside: outsideLogIn?.name ?? null };
}

export function openIdentity({ url, identifierKey, issuer, clock, ways, store, registry, report }: IdentityOptions): Identity {
  const database = openOrganisationDatabase(url);
  if (registry !== undefined) measurePool(database, registry);
  const keys = new SigningKeys(database, identifierKey, clock);
  const units = new UnitDirectory(() => database.read((sql) => sql.rows<UnitRow>(unitRowsText)), clock);
  const principals = new Principals(database, units, clock);
  const oauth = openOAuth({ database, keys, factor: new SecondFactor(identifierKey, clock), issuer, clock, ways, report });
  const sessions = new Sessions({ database, keys, issuer, clock });

  const drafts = new Drafts(database, new Sealed(identifierKey, 'organisation.draft'));

  const files =
    store === undefined ? null : openFileRegister({ database, principals, links: signedLinks(identifierKey), store, clock });
  const security = securityLog((events) => writeEvents(database, events));

  const housekeeping = setInterval(() => {
    Promise.all([oauth.tidy(), keys.tidy(), sessions.tidy(), drafts.tidy(), files?.tidy()]).catch(() => {
      report('housekeeping.fault');
    });
  }, housekeepingEvery);
  housekeeping.unref();

  return {
    principals,
    sessions,
    drafts,
    files,
    security,
    trusted: () => ({
      issuer: issuer(),
      algorithms: [signatureAlgorithm],
      keys: ({ kid }) => keys.verifying(kid),
      lifetime: tokenLifetime,
      type: 'at+jwt',
      subject: 'id',
    }),
    edgeRoutes: (addressOf) => oauth.routes(addressOf),
    hopRoutes: (verifier) => (app, _options, done) => {
      void app.register(
        oauth.routes(
          ({ headers, method, url }, body) =>
            verifier.open(sealOf(headers), 'oauth', { method, path: url, body })?.address ?? null,
        ),
      );
      void app.register((inner, _inner, registered) => {
        inner.removeAllContentTypeParsers();
        inner.addContentTypeParser('*', { parseAs: 'string', bodyLimit: 262_144 }, (_request, body, parsed) => {
          parsed(null, body);
        });
        inner.post(principalsPath, async (request, reply) => {
          const body = typeof request.body === 'string' ? request.body : '';
          if (
            verifier.open(sealOf(request.headers), 'principals', { method: request.method, path: request.url, body }) === null
          ) {
            return await reply.code(401).send({ code: 'UNAUTHENTICATED' });
          }
          const answer = await answerQuestion(
            { principals, sessions, drafts, files, note: (events) => writeEvents(database, events) },
            body,
          );
          if (answer === null) return await reply.code(400).send({ code: 'BAD_INPUT' });
          return await reply.header('content-type', 'application/json').header('cache-control', 'no-store').send(answer);
        });
        registered();
      });
      done();
    },
    feedWork: () => feedWork(database),
    ping: async () => {
      await database.read((sql) => sql.rows('select 1'));
    },
    async reachQueue() {
      const [seen] = await database.read((sql) =>
        sql.rows<{ readonly reached: boolean }>(
          `select coalesce(bool_and(reachable and at > clock_timestamp() - interval '30 seconds'), true) as reached
           from hub.queue_seen where backend = 'redis'`,
        ),
      );
      if (seen?.reached !== true) throw new Error('the queue is away');
    },
    async close() {
      clearInterval(housekeeping);
      await security.close();
      await database.close();
    },
  };
}

function measurePool(database: OrganisationDatabase, registry: Registry): void {
  const gauge = new Gauge<'state'>({
    name: 'hub_identity_connections',
    help: "Connections of organisation's own role: standing, free, and callers that wait for one",
    labelNames: ['state'],
    registers: [registry],
    collect() {
      for (const [state, count] of Object.entries(database.pool())) gauge.set({ state }, count);
    },
  });
}

function sealOf(headers: Readonly<Record<string, string | string[] | undefined>>): string | undefined {
  const seal = headers[hopHeader];
  return typeof seal === 'string' ? seal : undefined;
}
