import { Migration } from '@mikro-orm/migrations';
import { change, citizenReplica, idempotency, rowsOfUnit, work } from '#kernel/db/migrations/frozen.ts';

/** The register of digitized results, work about them, history, and the replica of citizens. */
export class CreateResults extends Migration {
  override up(): void {
    this.addSql('create schema if not exists results');
    this.addSql(citizenReplica('results'));
    this.addSql(result);
    this.addSql(`
      ${work('results', 'result_id uuid not null', 'unit_no int not null')}
      create index work_result on results.work (result_id);
      ${rowsOfUnit('results.work')}
      ${change('results', 'record_id uuid not null, citizen_id uuid', 'unit_no int not null')}
      create index change_record on results.change (record_id, id);
      create index change_citizen on results.change (citizen_id, id);
      ${rowsOfUnit('results.change')}
      ${idempotency('results')}`);
  }
}

const result = `
  create table results.result (
    id uuid primary key, version int not null default 1, citizen_id uuid, unit_no int not null,
    code text collate "C", name text not null, kind text, issuing_agency text, issued_on date, valid_to date, excerpt text,
    state text not null default 'IN_FORCE', file_state text not null default 'NONE', file_name text, use_count int not null default 0,
    waiting_hash bytea,
    created_at timestamptz not null default clock_timestamp(), updated_at timestamptz not null default clock_timestamp(),
    constraint result_kind check (kind in ('ELECTRONIC_ORIGINAL','DIGITIZED_PAPER','CERTIFIED_COPY')),
    constraint result_state check (state in ('IN_FORCE','REPLACED','REVOKED','EXPIRED','WITHDRAWN')),
    constraint result_file_state check (file_state in ('NONE','KEPT','REMOVED')),
    constraint result_period check (issued_on <= valid_to),
    constraint result_use_count check (use_count >= 0));
  create index result_citizen on results.result (citizen_id, id);
  create index result_code on results.result (code);
  create index result_unit on results.result (unit_no, id);
  create index result_unit_code on results.result (unit_no, code);
  create index result_state on results.result (state, id) include (unit_no);
  create index result_unit_state on results.result (unit_no, state, id);
  create index result_issued on results.result (issued_on);
  create index result_unit_issued on results.result (unit_no, issued_on);
  create index result_waiting on results.result (waiting_hash) where citizen_id is null;
  ${rowsOfUnit('results.result')}`;
