import { randomUUIDv7 } from 'node:crypto';
import type { Caller } from '#kernel/auth/principal.ts';
import { scopeOf, type RowScope } from '#kernel/auth/policy.ts';
import type { Changes, Refusal } from '#kernel/db/change.ts';
import type { ExportFileKind, ExportFormat } from '#kernel/db/hub.entity.ts';
import type { ReadDoor } from '#kernel/db/read-door.ts';
import { isUuid } from '#kernel/domain/ids.ts';
import { refusal } from '#kernel/errors/hub-error.ts';
import { exportOpening, type ExportPlan } from '#kernel/exports/export-job.ts';
import { exportHomes } from '#kernel/exports/export-kind.ts';
import { openRun } from '#kernel/jobs/runs.ts';
import type { Result } from '#kernel/result.ts';
import { linkFor, type FilesOrigin, type ToldLink } from './import-desk.ts';

/*
 * Lists that people take out by the graph: a run reads the list under the rights of whoever began it, at each page as they stand then; the file
 * is his alone, and a link to it is given to him alone.
 */

export interface StartExport {
  readonly kind: ExportFileKind;
  readonly format?: ExportFormat | null;
  readonly filter?: Readonly<Record<string, object | null>> | null;
}

export type StartedExport = Result<{ readonly export: string }, Refusal>;

/** Exports of one person that have not ended. */
const mostAtOnce = 3;

export class ExportDesk {
  readonly #changes: Changes;
  readonly #files: FilesOrigin;

  constructor(changes: Changes, files: FilesOrigin) {
    this.#changes = changes;
    this.#files = files;
  }

  start(caller: Caller, input: StartExport): Promise<StartedExport> {
    const { permission, filter: own } = exportHomes[input.kind];
    return this.#changes.mutate({ caller, operation: 'startExport', permission: 'export:start', input }, async (change) => {
      if (this.#files.origin === null) throw refusal('DATABASE_AWAY', { cause: new Error('no files origin is known here') });
      // What a legal basis lends for one person starts no work over many.
      if (scopeOf(caller, permission)?.citizenId !== null) throw refusal('ROLE_LACKS_RIGHT', { field: 'kind' });
      const said = Object.entries(input.filter ?? {}).filter(([, filter]) => filter !== null);
      const stray = said.find(([name]) => name !== own);
      if (stray !== undefined) throw refusal('EXPORT_FILTER', { field: `filter.${stray[0]}` });
      const { transaction, units } = change;
      const { principal } = caller;
      // Two at once take turns here, so that neither overlooks the other.
      await transaction.query(`select pg_advisory_xact_lock(hashtextextended('hub.export ' || $1, 0)) is null as locked`, [
        principal.id,
      ]);
      const [under] = await transaction.query<{ readonly count: number }>(
        `select count(*)::int as count from hub.export_file e join hub.run r on r.id = e.run_id
         where e.sender = $1 and r.state in ('PLANNED','RUNNING','PAUSED') and coalesce(e.unit_no <@ $2::int4multirange, false)`,
        [principal.id, units],
      );
      if ((under?.count ?? 0) >= mostAtOnce) throw refusal('EXPORTS_UNDER_WAY');
      const id = randomUUIDv7();
      const filter = said[0]?.[1] ?? null;
      await transaction.query(
        `insert into hub.export_file (id, kind, format, unit_no, sender, sender_name, filter) values ($1, $2, $3, $4, $5, $6, $7::jsonb)`,
        [
          id,
          input.kind,
          input.format ?? 'CSV',
          principal.unitNo,
          principal.id,
          principal.name,
          filter === null ? null : JSON.stringify(filter),
        ],
      );
      const plan: ExportPlan = { exportId: id };
      const run = await openRun(transaction, exportOpening(input.kind), { caller }, plan);
      if (run === null) throw new Error('a run without a slot was not opened');
      await transaction.query('update hub.export_file set run_id = $2 where id = $1', [id, run]);
      change.audit('run.started', [run], []);
      return { export: id };
    });
  }

  /** For whoever began it, while the file is there. */
  link(caller: Caller, file: ExportRecord): ToldLink | null {
    const there = file.stored && file.keptUntil !== null && new Date(file.keptUntil) > new Date();
    const his = file.sender === caller.principal.id && this.#files.origin !== null;
    return there && his ? linkFor(this.#files, caller, 'export', file.id) : null;
  }
}

/** An export as the graph shows it. */
export interface ExportRecord {
  readonly id: string;
  readonly version: number;
  readonly kind: ExportFileKind;
  readonly format: ExportFormat;
  readonly runId: string;
  readonly rows: number;
  readonly size: number | null;
  readonly keptUntil: string | null;
  readonly stored: boolean;
  readonly sender: string;
}

/** By its own id or by that of its run. */
export async function readExport(door: ReadDoor, scope: RowScope, id: string): Promise<ExportRecord | null> {
  if (!isUuid(id.toLowerCase())) return null;
  const [file] = await door.rows<ExportRecord>(
    'export.one',
    `select f.id, f.version, f.kind, f.format, f.run_id as "runId", f.rows, f.bytes::float8 as size, f.expires_at as "keptUntil",
       f.stored_as is not null as stored, f.sender
     from hub.export_file f where (f.id = $2::uuid or f.run_id = $2::uuid) and coalesce(f.unit_no <@ $1::int4multirange, false) limit 1`,
    scope,
    [id.toLowerCase()],
  );
  return file ?? null;
}
