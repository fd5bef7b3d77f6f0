import { Migration } from '@mikro-orm/migrations';
import { change, idempotency, rowsOfUnit } from '#kernel/db/migrations/frozen.ts';

/** Accounts, clients, legal bases, keys, the OpenID provider's store, the joint queue of work, security events. */
export class CreateOrganisation extends Migration {
  override up(): void {
    this.addSql(principals);
    this.addSql(openId);
    this.addSql(workItem);
    this.addSql(`
      ${change('organisation', 'record_id text not null', 'unit_no int not null')}
      create index change_record on organisation.change (record_id, id);
      ${rowsOfUnit('organisation.change')}
      ${idempotency('organisation')}`);
  }
}

const principals = `
  create schema if not exists organisation;
  create table organisation.account (
    id uuid primary key, version int not null default 1, login text collate "C" not null, name text not null, email text,
    unit_no int not null, role text not null, password_hash text, must_change_password bool not null default false, totp_secret text,
    not_before timestamptz, disabled_at timestamptz, created_at timestamptz not null default clock_timestamp());
  create unique index account_login on organisation.account (login);
  create index account_unit on organisation.account (unit_no, id);
  ${rowsOfUnit('organisation.account')}

  create table organisation.client (
    id text collate "C" primary key, version int not null default 1, name text not null, unit_no int not null, role text not null,
    secret_hashes text[] not null, default_purpose text, points_per_minute int not null default 60000,
    not_before timestamptz, revoked_at timestamptz, created_at timestamptz not null default clock_timestamp(),
    constraint client_secret_hashes check (cardinality(secret_hashes) between 1 and 2),
    constraint client_points check (points_per_minute > 0));
  create index client_unit on organisation.client (unit_no, id);
  ${rowsOfUnit('organisation.client')}

  -- unit_no: the people of this unit and below it are covered; citizen_id narrows it to one of them.
  create table organisation.legal_basis (
    id text collate "C" primary key, client_id text collate "C" not null references organisation.client, ground text not null,
    permissions text[] not null, citizen_id uuid, unit_no int not null,
    valid_from timestamptz not null, valid_until timestamptz, withdrawn_at timestamptz,
    created_by text not null, created_at timestamptz not null default clock_timestamp(),
    constraint legal_basis_period check (valid_from <= valid_until));
  create index legal_basis_client on organisation.legal_basis (client_id, id);
  create index legal_basis_citizen on organisation.legal_basis (citizen_id) where citizen_id is not null;
  ${rowsOfUnit('organisation.legal_basis')}`;

const openId = `
  create table organisation.signing_key (
    kid text collate "C" primary key, use text not null, private_jwk jsonb not null,
    created_at timestamptz not null default clock_timestamp(), retired_at timestamptz,
    constraint signing_key_use check (use in ('OIDC','HOP')));
  create table organisation.oidc_payload (
    model text collate "C" not null, id text collate "C" not null, payload jsonb not null, grant_id text collate "C", uid text collate "C",
    user_code text collate "C", expires_at timestamptz, consumed_at timestamptz, primary key (model, id));
  create index oidc_payload_grant on organisation.oidc_payload (grant_id) where grant_id is not null;
  create index oidc_payload_uid on organisation.oidc_payload (uid) where uid is not null;
  create index oidc_payload_expiry on organisation.oidc_payload (expires_at);
  create table organisation.security_event (
    id uuid primary key default uuidv7(), at timestamptz not null default clock_timestamp(), kind text not null,
    principal text, detail jsonb not null default '{}', trace_id text);
  create index security_event_at on organisation.security_event using brin (at);
  create index security_event_kind on organisation.security_event (kind, at);`;

/* Read model fed by the outbox; the natural key makes a repeat harmless. */
const workItem = `
  create table organisation.work_item (
    id uuid primary key, version int not null default 1, source text not null, subject uuid not null, kind text not null, field text,
    citizen_id uuid, citizen_unit_no int, unit_no int not null, found_by text not null, state text not null, raised_at timestamptz not null,
    constraint work_item_source check (source in ('CITIZENS','INSURANCE','RESULTS','SLIPS','JOBS')),
    constraint work_item_state check (state in ('OPEN','LEASED','SETTLED','WITHDRAWN')));
  create unique index work_item_natural_key on organisation.work_item (source, subject, kind, field) nulls not distinct;
  create index work_item_unit_state on organisation.work_item (unit_no, state, id);
  create index work_item_state_id on organisation.work_item (state, id);
  create index work_item_citizen on organisation.work_item (citizen_id);
  ${rowsOfUnit('organisation.work_item')}`;
