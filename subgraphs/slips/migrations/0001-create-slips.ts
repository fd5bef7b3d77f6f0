import { Migration } from '@mikro-orm/migrations';
import { change, citizenReplica, idempotency, rowsOfUnitOrFacility, sessionScope, work } from '#kernel/db/migrations/frozen.ts';

/** Referral and re-examination slips, their signed originals, work about them, history, and the replica of citizens. */
export class CreateSlips extends Migration {
  override up(): void {
    this.addSql('create schema if not exists slips');
    this.addSql(citizenReplica('slips'));
    this.addSql(document);
    this.addSql(slip('referral_slip', 'from_facility', referral));
    this.addSql(slip('reexamination_slip', 'facility', reexamination));
    this.addSql(`
      ${work('slips', 'slip_id uuid not null', 'unit_no int, facility_no int')}
      create index work_slip on slips.work (slip_id);
      create index work_facility_state on slips.work (facility_no, state, id);
      ${rowsOfUnitOrFacility('slips.work', 'true')}
      ${change('slips', 'record_id uuid not null, citizen_id uuid', 'unit_no int, facility_no int')}
      create index change_record on slips.change (record_id, id);
      create index change_citizen on slips.change (citizen_id, id);
      ${rowsOfUnitOrFacility('slips.change', 'true')}
      ${idempotency('slips')}`);
  }
}

/* Signed originals, kept byte for byte: never edited. Whoever may read the slip reads them through it; the facility its own. */
const document = `
  create table slips.document (
    id uuid primary key, facility_no int not null, bytes bytea not null, sha256 bytea not null,
    received_at timestamptz not null default clock_timestamp(),
    constraint document_sha256 check (sha256 = sha256(bytes)));
  create unique index document_content on slips.document (facility_no, sha256);
  alter table slips.document enable row level security;
  alter table slips.document force row level security;
  create policy scope on slips.document
    using (coalesce(facility_no <@ ${sessionScope}, false)) with check (coalesce(facility_no <@ ${sessionScope}, false));`;

const referral = `valid_to date, from_facility text, to_facility text, reason text,
    constraint referral_slip_period check (issued_on <= valid_to)`;
const reexamination = `facility text, appointment_on date, appointment_at timestamptz,
    constraint reexamination_slip_period check (issued_on <= appointment_on)`;

/** `unit_no` is the citizen's unit, `facility_no` the issuing facility's; either may read it, hence two indexes walked apart and merged. */
function slip(table: string, issuer: string, columns: string): string {
  return `
  create table slips.${table} (
    id uuid primary key, version int not null default 1, citizen_id uuid, unit_no int, facility_no int,
    number text collate "C", origin text not null, status text not null, issued_on date,
    holder_name text, document_id uuid references slips.document, waiting_hash bytea,
    created_at timestamptz not null default clock_timestamp(), updated_at timestamptz not null default clock_timestamp(),
    ${columns},
    constraint ${table}_origin check (origin in ('SIGNED','ENTERED')),
    constraint ${table}_status check (status in ('ISSUED','SHOWN','ACCEPTED','USED','EXPIRED','CANCELLED','REPLACED','WITHDRAWN')),
    constraint ${table}_place check (num_nonnulls(unit_no, facility_no) > 0));
  create index ${table}_citizen on slips.${table} (citizen_id, id);
  create index ${table}_unit on slips.${table} (unit_no, id);
  create index ${table}_facility on slips.${table} (facility_no, id);
  create index ${table}_facility_number on slips.${table} (facility_no, number);
  create index ${table}_number on slips.${table} (number);
  create index ${table}_status on slips.${table} (status, id) include (unit_no, facility_no);
  create index ${table}_unit_status on slips.${table} (unit_no, status, id);
  create index ${table}_facility_status on slips.${table} (facility_no, status, id);
  create index ${table}_issued on slips.${table} (issued_on);
  create index ${table}_unit_issued on slips.${table} (unit_no, issued_on);
  create index ${table}_facility_issued on slips.${table} (facility_no, issued_on);
  create index ${table}_issuer on slips.${table} (${issuer}, id);
  create index ${table}_waiting on slips.${table} (waiting_hash) where citizen_id is null;
  ${rowsOfUnitOrFacility(`slips.${table}`, `origin = 'SIGNED'`)}`;
}
