import { Migration } from '@mikro-orm/migrations';
import { rowsOfUnit } from './frozen.ts';

/**
 * Lists that go out as files. The filter may hold a name or a number that somebody searched by: it is dropped when the file is there, at the
 * latest with the pages of the run.
 */
export class Exports extends Migration {
  override up(): void {
    this.addSql(`
      create table hub.export_file (
        id uuid primary key, version int not null default 1, kind text not null, format text not null, unit_no int not null,
        sender text not null, sender_name text not null, filter jsonb, run_id uuid, parts int not null default 0, last_part int,
        rows int not null default 0, stored_as text, bytes bigint, expires_at timestamptz,
        created_at timestamptz not null default clock_timestamp(),
        constraint export_file_kind check (kind in
          ('CITIZENS','CARDS','RESULTS','REFERRAL_SLIPS','REEXAMINATION_SLIPS','DISCREPANCIES','WORK_ITEMS','AUDIT')),
        constraint export_file_format check (format in ('CSV','JSONL')));
      create index export_file_run on hub.export_file (run_id) where run_id is not null;
      create index export_file_sender on hub.export_file (sender, id);
      ${rowsOfUnit('hub.export_file')}`);
  }
}
