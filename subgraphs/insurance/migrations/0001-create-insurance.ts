import { Migration } from '@mikro-orm/migrations';
import { change, citizenReplica, idempotency, rowsOfUnit, work } from '#kernel/db/migrations/frozen.ts';

/** Insurance cards, work about them, history, and the replica of citizens. */
export class CreateInsurance extends Migration {
  override up(): void {
    this.addSql('create schema if not exists insurance');
    this.addSql(citizenReplica('insurance'));
    this.addSql(card);
    this.addSql(`
      ${work('insurance', 'card_id uuid not null', 'unit_no int not null')}
      create index work_card on insurance.work (card_id);
      ${rowsOfUnit('insurance.work')}
      ${change('insurance', 'record_id uuid not null, citizen_id uuid', 'unit_no int not null')}
      create index change_record on insurance.change (record_id, id);
      create index change_citizen on insurance.change (citizen_id, id);
      ${rowsOfUnit('insurance.change')}
      ${idempotency('insurance')}`);
  }
}

/* `unit_no` is the citizen's unit; while the card waits for its citizen it is the sender's, and `waiting_hash` says for whom. */
const card = `
  create table insurance.card (
    id uuid primary key, version int not null default 1, citizen_id uuid, unit_no int not null,
    number text collate "C" not null, bhxh_number text collate "C" not null,
    holder_name text, holder_born text, valid_from date, valid_to date,
    status text not null default 'UNVERIFIED', registered_facility text, issuer text,
    waiting_hash bytea, checked_at timestamptz,
    created_at timestamptz not null default clock_timestamp(), updated_at timestamptz not null default clock_timestamp(),
    constraint card_status check (status in ('UNVERIFIED','ACTIVE','PENDING','REPLACED','EXPIRED','RECALLED','STOPPED','NEEDS_REVIEW','WITHDRAWN')),
    constraint card_issuer check (issuer in ('BHXH_VN','BHXH_CAND','BHXH_BQP')),
    constraint card_period check (valid_from <= valid_to),
    constraint card_bhxh_number check (bhxh_number = right(number, 10)));
  create index card_citizen on insurance.card (citizen_id, valid_from desc);
  create index card_number on insurance.card (number);
  create index card_bhxh_number on insurance.card (bhxh_number);
  create index card_unit on insurance.card (unit_no, id);
  create index card_unit_number on insurance.card (unit_no, number);
  create index card_unit_bhxh_number on insurance.card (unit_no, bhxh_number);
  create index card_status on insurance.card (status, id) include (unit_no);
  create index card_unit_status on insurance.card (unit_no, status, id);
  create index card_waiting on insurance.card (waiting_hash) where citizen_id is null;
  ${rowsOfUnit('insurance.card')}`;
