import { Readable } from 'node:stream';
import { auditRow } from '#kernel/audit/audit-row.ts';
import { scopeOf } from '#kernel/auth/policy.ts';
import type { Caller, PrincipalSource } from '#kernel/auth/principal.ts';
import { maskedFields, shownInClear } from '#kernel/auth/purposes.ts';
import type { Clock } from '#kernel/clock.ts';
import type { ExportFileKind, ExportFormat } from '#kernel/db/hub.entity.ts';
import { dayInVietnam } from '#kernel/domain/plain-date.ts';
import { exportHomes } from '#kernel/exports/export-kind.ts';
import type { FetchedFile, FileRegister } from '#kernel/files/file-register.ts';
import type { FileStore } from '#kernel/files/file-store.ts';
import { linkLife, type OpenedLink, type SignedLinks } from '#kernel/files/signed-links.ts';
import { refusedCsv } from '#kernel/imports/refused-file.ts';
import { refusedRows, type RefusedRow } from '#kernel/imports/staging.ts';
import { everyUnit, type OrganisationDatabase, type Sql } from './database.ts';

/*
 * The register behind the files origin. Who takes a file is looked up anew when he takes it; that he does, and that his link is used up, is
 * committed before the first byte leaves.
 */

export interface RegisterDeps {
  readonly database: OrganisationDatabase;
  readonly principals: PrincipalSource;
  readonly links: SignedLinks;
  readonly store: FileStore;
  readonly clock: Clock;
}

export interface KeptRegister extends FileRegister {
  /** Forgets links whose time is over anyway. */
  tidy(): Promise<void>;
}

/** Larger than any: a file that is made here holds rows of one that came in. */
const most = Number.MAX_SAFE_INTEGER;
/** Rows read in one transaction, and written out in one step of the event loop. */
const portion = 500;

export function openFileRegister({ database, principals, links, store, clock }: RegisterDeps): KeptRegister {
  const opened = (text: string, use: OpenedLink['use'] | null): OpenedLink | null => {
    const link = links.open(text, clock.now());
    return use === null || link?.use === use ? link : null;
  };

  async function fetch(text: string, traceId: string): Promise<FetchedFile | null> {
    const link = opened(text, null);
    const holder = link?.holder ?? null;
    if (link === null || holder === null) return null;
    const { principal: subject, purpose, locale } = holder;
    const principal = await principals.find(subject, new Date(link.expiresAt.getTime() - linkLife));
    if (principal === null) return null;
    const operation = link.use === 'export' ? 'exportFile' : 'refusedFile';
    const caller: Caller = { principal, purpose, basis: null, locale, traceId, operation, idempotencyKey: null };
    if (link.use === 'refused') return await refusedOf(link, caller);
    return link.use === 'export' ? await exportOf(link, caller) : null;
  }

  /** False: this link was used before. */
  async function useUp(sql: Sql, { no, expiresAt }: OpenedLink): Promise<boolean> {
    const first = await sql.rows(
      'insert into hub.used_link (no, expires_at) values ($1, $2) on conflict do nothing returning 1',
      [no, expiresAt],
    );
    return first.length > 0;
  }

  async function refusedOf(link: OpenedLink, caller: Caller): Promise<FetchedFile | null> {
    const units = scopeOf(caller, 'import:read')?.units;
    if (units === undefined) return null;
    const file = await database.write(async (sql) => {
      const [found] = await sql.rows<RefusedSource>(
        `select id, sender, state, separator, headings, places from hub.import_file
         where id = $1 and state in ('CHECKED','APPLIED') and coalesce(unit_no <@ $2::int4multirange, false)`,
        [link.id, units],
      );
      if (found === undefined || !mayTakeRefused(caller, found.sender) || !(await useUp(sql, link))) return null;
      const { text, values } = auditRow('organisation', caller, {
        action: 'import.read',
        subjects: [found.id],
        fields: ['Import.refusedFile', ...found.places.filter((column) => column !== null)],
      });
      await sql.rows(text, values);
      return found;
    }, units);
    if (file === null) return null;
    const lines = refusedCsv(file, rowsOf(file, units), caller.locale);
    const storedAs = await store.keep(Readable.from(lines), most);
    if (storedAs === null) throw new Error('a file without a limit was too large');
    const name = `${caller.locale === 'vi' ? 'can-sua' : 'to-mend'}-${file.id.slice(-8)}.csv`;
    return { storedAs, name, format: 'CSV', once: true };
  }

  async function exportOf(link: OpenedLink, caller: Caller): Promise<FetchedFile | null> {
    const units = scopeOf(caller, 'export:start')?.units;
    if (units === undefined) return null;
    return await database.write(async (sql) => {
      const [file] = await sql.rows<ExportedFile>(
        `select id, kind, format, rows, stored_as as "storedAs", created_at as "createdAt" from hub.export_file
         where id = $1 and sender = $2 and stored_as is not null and expires_at > clock_timestamp()
           and coalesce(unit_no <@ $3::int4multirange, false)`,
        [link.id, caller.principal.id, units],
      );
      // Whoever may not read the list any more is not handed what he once read.
      if (file === undefined || scopeOf(caller, exportHomes[file.kind].permission) === null) return null;
      if (!(await useUp(sql, link))) return null;
      const { text, values } = auditRow('organisation', caller, {
        action: 'export.read',
        subjects: [file.id],
        fields: ['Export.file'],
        detail: { kind: file.kind, rows: file.rows },
      });
      await sql.rows(text, values);
      const { kind, format, storedAs } = file;
      const name = `${kind.toLowerCase().replaceAll('_', '-')}-${dayInVietnam(file.createdAt)}.${format.toLowerCase()}`;
      return { storedAs, name, format, once: false };
    }, units);
  }

  async function* rowsOf({ id, state }: RefusedSource, units: string): AsyncGenerator<RefusedRow> {
    const of = state === 'APPLIED' ? 'state' : 'planned';
    for (let after = 0; ;) {
      const rows = await database.read(
        (sql) => refusedRows({ query: (text, values) => sql.rows(text, values) }, id, units, { of, after, limit: portion }),
        units,
      );
      yield* rows;
      const last = rows.at(-1);
      if (last === undefined) return;
      after = last.line;
    }
  }

  return {
    awaits: async (text) => {
      const link = opened(text, 'upload');
      if (link === null) return false;
      const found = await database.read((sql) =>
        sql.rows(`select 1 from hub.import_file where id = $1 and state = 'AWAITED' and expires_at > clock_timestamp()`, [
          link.id,
        ]),
      );
      return found.length > 0;
    },
    received: async (text, storedAs) => {
      const link = opened(text, 'upload');
      if (link === null) return null;
      const received = await database.write(
        (sql) =>
          sql.rows(
            `update hub.import_file set state = 'RECEIVED', stored_as = $2, version = version + 1
             where id = $1 and state = 'AWAITED' and expires_at > clock_timestamp() returning 1`,
            [link.id, storedAs],
          ),
        everyUnit,
      );
      return received.length > 0 ? link.id : null;
    },
    fetch,
    tidy: async () => {
      await database.write((sql) =>
        sql.rows(`delete from hub.used_link where expires_at < clock_timestamp() - interval '1 day'`),
      );
    },
  };
}

interface ExportedFile {
  readonly id: string;
  readonly kind: ExportFileKind;
  readonly format: ExportFormat;
  readonly rows: number;
  readonly storedAs: string;
  readonly createdAt: Date;
}

interface RefusedSource {
  readonly id: string;
  readonly sender: string;
  readonly state: 'CHECKED' | 'APPLIED';
  readonly separator: ',' | ';';
  readonly headings: readonly string[];
  readonly places: readonly (string | null)[];
}

/** The rows stand as they were sent, nothing in them masked: for the sender himself, and for whoever sees everything in clear. */
export function mayTakeRefused({ principal, purpose }: Caller, sender: string): boolean {
  const clear = shownInClear[principal.role][purpose] ?? [];
  return principal.id === sender || maskedFields.every((field) => clear.includes(field));
}
