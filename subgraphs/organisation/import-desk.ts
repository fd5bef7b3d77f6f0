import { randomUUIDv7 } from 'node:crypto';
import type { Caller } from '#kernel/auth/principal.ts';
import type { RowScope } from '#kernel/auth/policy.ts';
import type { Change, Changes, Refusal } from '#kernel/db/change.ts';
import type { ImportFileState } from '#kernel/db/hub.entity.ts';
import type { ReadDoor } from '#kernel/db/read-door.ts';
import { mostBytes } from '#kernel/csv-table.ts';
import { isUuid } from '#kernel/domain/ids.ts';
import { catalogue, type Reason } from '#kernel/errors/catalogue.ts';
import { refusal } from '#kernel/errors/hub-error.ts';
import { linkLife, type Link, type SignedLinks } from '#kernel/files/signed-links.ts';
import { importOpening, type ApplyPlan, type CheckPlan, type SentKind } from '#kernel/imports/import-job.ts';
import { openRun } from '#kernel/jobs/runs.ts';
import type { Result } from '#kernel/result.ts';
import { mayTakeRefused } from './file-register.ts';

/*
 * Files that people send by the graph: a link to send the bytes by, what would happen, and the word to apply it. The bytes never pass here; the
 * rows are read and applied by workers, under the rights of whoever began.
 */

export interface StartImport {
  readonly kind: SentKind;
  readonly fileName: string;
  readonly size: number;
}
export interface ApplyImport {
  readonly id: string;
  readonly version: number;
  readonly mapping?: readonly { readonly heading: string; readonly column?: string | null }[] | null;
}

export type StartedImport = Result<{ readonly import: string; readonly expiresAt: string }, Refusal>;
export type AppliedImport = Result<{ readonly import: string; readonly run: string }, Refusal>;

export interface FilesOrigin {
  readonly links: SignedLinks;
  /** `http://host:port` where files are sent to; `null`: this process knows of none. */
  readonly origin: string | null;
}

export class ImportDesk {
  readonly #changes: Changes;
  readonly #files: FilesOrigin;

  constructor(changes: Changes, files: FilesOrigin) {
    this.#changes = changes;
    this.#files = files;
  }

  start(caller: Caller, input: StartImport): Promise<StartedImport> {
    return this.#changes.mutate({ caller, operation: 'startImport', permission: 'import:send', input }, async (change) => {
      if (this.#files.origin === null) throw refusal('DATABASE_AWAY', { cause: new Error('no files origin is known here') });
      // What a sender calls his file: shown to people, never a path.
      const name = (input.fileName.split(/[/\\]/).at(-1) ?? '').replace(/[\p{Cc}\p{Cf}]/gu, '').trim();
      if (name === '' || name.length > 200) throw refusal('FILE_NAME', { field: 'fileName' });
      if (input.size < 1) throw refusal('FILE_EMPTY', { field: 'size' });
      if (input.size > mostBytes) throw refusal('FILE_TOO_LARGE', { field: 'size' });
      const id = randomUUIDv7();
      const expiresAt = new Date(change.now.getTime() + linkLife).toISOString();
      const { principal } = caller;
      await change.transaction.query(
        `insert into hub.import_file (id, kind, unit_no, sender, sender_name, file_name, state, expires_at)
         values ($1, $2, $3, $4, $5, $6, 'AWAITED', $7)`,
        [id, input.kind, principal.unitNo, principal.id, principal.name, name, expiresAt],
      );
      const plan: CheckPlan = { importId: id };
      const run = await openRun(change.transaction, importOpening(input.kind, 'check'), { caller }, plan);
      if (run === null) throw new Error('a run without a slot was not opened');
      await change.transaction.query('update hub.import_file set run_id = $2 where id = $1', [id, run]);
      change.audit('run.started', [run], []);
      return { import: id, expiresAt };
    });
  }

  /** The link of an import; of a repeat of the mutation good as long as that of the first. */
  link({ import: id, expiresAt }: { readonly import: string; readonly expiresAt: string }): ToldLink {
    return linkTo(this.#files, { use: 'upload', id, expiresAt: new Date(expiresAt), holder: null });
  }

  /** For whoever may take its refused rows; `null`: he may not, or there are none. */
  refusedLink(caller: Caller, file: ImportRecord, refused: number): ToldLink | null {
    const ready = file.state === 'CHECKED' || file.state === 'APPLIED';
    const his = this.#files.origin !== null && mayTakeRefused(caller, file.sender);
    return ready && his && refused > 0 ? linkFor(this.#files, caller, 'refused', file.id) : null;
  }

  apply(caller: Caller, input: ApplyImport): Promise<AppliedImport> {
    return this.#changes.mutate({ caller, operation: 'applyImport', permission: 'import:send', input }, async (change) => {
      const file = await found(change, input);
      if (file.sender !== caller.principal.id) throw refusal('IMPORT_OF_ANOTHER', { field: 'id' });
      if (file.version !== input.version) throw refusal('VERSION_STALE', { field: 'version' });
      if (file.state !== 'CHECKED' || file.kind === 'ACCOUNTS') throw refusal('IMPORT_STATE', { field: 'id' });
      const mapping = (input.mapping ?? []).map(({ heading, column = null }) => ({ heading, column }));
      const stray = mapping.find(({ heading }) => !file.headings.includes(heading));
      if (stray !== undefined) throw refusal('FILE_MAPPING', { field: 'mapping' });
      const plan: ApplyPlan = { importId: file.id, mapping };
      const run = await openRun(change.transaction, importOpening(file.kind, 'apply'), { caller }, plan);
      if (run === null) throw new Error('a run without a slot was not opened');
      await change.transaction.query(
        `update hub.import_file set state = 'APPLIED', run_id = $2, version = version + 1 where id = $1`,
        [file.id, run],
      );
      change.audit('run.started', [run], []);
      return { import: file.id, run };
    });
  }
}

export interface ToldLink {
  readonly url: string;
  readonly expiresAt: string;
}

export function linkTo({ links, origin }: FilesOrigin, link: Link): ToldLink {
  return { url: `${origin ?? ''}/files/${links.seal(link)}`, expiresAt: link.expiresAt.toISOString() };
}

/** For what goes out under the rights of whoever asks. */
export function linkFor(
  files: FilesOrigin,
  { principal, purpose, locale }: Caller,
  use: 'refused' | 'export',
  id: string,
): ToldLink {
  const expiresAt = new Date(Date.now() + linkLife);
  return linkTo(files, { use, id, expiresAt, holder: { principal: principal.id, purpose, locale } });
}

interface Held {
  readonly id: string;
  readonly version: number;
  readonly kind: SentKind | 'ACCOUNTS';
  readonly sender: string;
  readonly state: ImportFileState;
  readonly headings: readonly string[];
}

async function found(change: Change, { id }: ApplyImport): Promise<Held> {
  const [file] = isUuid(id.toLowerCase())
    ? await change.transaction.query<Held>(
        `select id, version, kind, sender, state, coalesce(headings, '[]') as headings from hub.import_file
         where id = $1 and coalesce(unit_no <@ $2::int4multirange, false) for update`,
        [id, change.units],
      )
    : [];
  if (file === undefined) throw refusal('IMPORT_UNKNOWN', { field: 'id' });
  return file;
}

/** An import as the graph shows it. */
export interface ImportRecord {
  readonly id: string;
  readonly version: number;
  readonly kind: string;
  readonly fileName: string | null;
  readonly state: ImportFileState;
  readonly columns: readonly { readonly heading: string; readonly column: string | null }[];
  readonly separator: string | null;
  readonly communeList: string | null;
  readonly planned: object | null;
  readonly refusal: ToldProblem | null;
  readonly runId: string | null;
  readonly sender: string;
}

export interface ToldProblem {
  readonly code: string;
  readonly reason: Reason;
  readonly field: string | null;
  readonly message: string;
}

interface StoredFile extends Omit<ImportRecord, 'columns' | 'refusal' | 'communeList'> {
  readonly headings: readonly string[] | null;
  readonly places: readonly (string | null)[] | null;
  readonly decisions: Readonly<Record<string, string>> | null;
  readonly refusal: { readonly reason: Reason; readonly field: string | null } | null;
}

export async function readImport(door: ReadDoor, scope: RowScope, id: string, locale: 'vi' | 'en'): Promise<ImportRecord | null> {
  if (!isUuid(id.toLowerCase())) return null;
  // A run of an import leads to it as well.
  const [file] = await door.rows<StoredFile>(
    'import.one',
    `select f.id, f.version, f.kind, f.file_name as "fileName", f.state, f.headings, f.places, f.separator, f.decisions, f.planned, f.refusal,
       coalesce(f.run_id, f.id) as "runId", f.sender
     from hub.import_file f where (f.id = $2::uuid or f.run_id = $2::uuid) and coalesce(f.unit_no <@ $1::int4multirange, false) limit 1`,
    scope,
    [id],
  );
  if (file === undefined) return null;
  const { headings, places, decisions, refusal: why, ...rest } = file;
  return {
    ...rest,
    columns: (headings ?? []).map((heading, place) => ({ heading, column: places?.[place] ?? null })),
    communeList: decisions?.communeList ?? null,
    refusal: why === null ? null : told(why, locale),
  };
}

/** The first refused rows: of the import where it was applied, else of its dry run. */
export async function refusedRowsOf(
  door: ReadDoor,
  scope: RowScope,
  file: ImportRecord,
  locale: 'vi' | 'en',
): Promise<readonly (ToldProblem & { readonly line: number })[]> {
  const of = file.state === 'APPLIED' ? 'state' : 'planned';
  const rows = await door.rows<{
    readonly line: number;
    readonly problem: readonly { readonly reason: Reason; readonly field: string | null }[] | null;
  }>(
    `import.refused-${of}`,
    `select r.line, r.problem from hub.import_row r
     where r.import_id = $2::uuid and r.${of} = 'REFUSED' and coalesce(r.unit_no <@ $1::int4multirange, false) order by r.line limit 100`,
    scope,
    [file.id],
  );
  return rows.flatMap(({ line, problem }) => (problem ?? []).slice(0, 1).map((one) => ({ line, ...told(one, locale) })));
}

/** How many rows were refused: of the import where it was applied, so far; else of its dry run. */
export async function refusedCountOf(door: ReadDoor, scope: RowScope, { id, state }: ImportRecord): Promise<number> {
  const of = state === 'APPLIED' ? 'state' : 'planned';
  const [row] = await door.rows<{ readonly count: number }>(
    `import.count-${of}`,
    `select count(*)::int as count from hub.import_row r
     where r.import_id = $2::uuid and r.${of} = 'REFUSED' and coalesce(r.unit_no <@ $1::int4multirange, false)`,
    scope,
    [id],
  );
  return row?.count ?? 0;
}

function told({ reason, field }: { readonly reason: Reason; readonly field: string | null }, locale: 'vi' | 'en'): ToldProblem {
  return { code: catalogue[reason].code, reason, field, message: catalogue[reason][locale] };
}
