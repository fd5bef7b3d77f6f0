import { Migration } from '@mikro-orm/migrations';
import { change, idempotency, rowsOfUnit } from '#kernel/db/migrations/frozen.ts';

/** Citizens, their identifiers, search keys, verifications, discrepancies, history; staging of imports. */
export class CreateCitizens extends Migration {
  override up(): void {
    this.addSql(citizen);
    this.addSql(identifier);
    this.addSql(findings);
    this.addSql(`
      ${change('citizens', 'citizen_id uuid not null', 'unit_no int not null')}
      create index change_citizen on citizens.change (citizen_id, id);
      ${rowsOfUnit('citizens.change')}
      ${idempotency('citizens')}`);
    this.addSql(twoHolders);
  }
}

/*
 * Letter for one of the ten fields: G confirmed, Y stated, R missing. Stored, so that a filter by it is a range of an index behind
 * the row policy; made by PostgreSQL, so that it can never differ from the values and bits it is derived from.
 */
const fieldState = (bit: number, present: string): string =>
  `case when not (${present}) then 'R' when confirmed & ${String(1 << bit)} <> 0 then 'G' else 'Y' end`;

const fieldStates = [
  'full_name is not null',
  'old_id_number is not null',
  'personal_id is not null',
  'date_of_birth is not null',
  'phone is not null',
  'gender is not null',
  'birthplace is not null',
  'email is not null',
  'native_place is not null',
  'permanent_text is not null or permanent_code is not null',
]
  .map((present, bit) => fieldState(bit, present))
  .join(' || ');

const citizen = `
  create schema if not exists citizens;
  create table citizens.citizen (
    id uuid primary key, version int not null default 1, unit_no int not null,
    life_status text not null default 'ACTIVE', merged_into uuid,
    personal_id text collate "C", old_id_number text collate "C",
    full_name text not null, name_folded text collate "C" not null, name_sort text collate "vi-x-icu" not null,
    date_of_birth text, birth_precision text, born_from date, born_to date,
    gender text, ethnicity text, phone text, email text, birthplace text, native_place text,
    permanent_text text, permanent_code text, permanent_list text, permanent_current_code text, permanent_confidence text,
    current_text text, current_code text, current_list text, current_current_code text, current_confidence text,
    confirmed int not null default 0, conflicted int not null default 0,
    check_source text[] not null default '{}', checked_at timestamptz[] not null default '{}',
    flags text[] not null default '{}',
    sender_unit_no int, source_key text collate "C",
    -- The ten letters of fieldStates, in the order of CitizenField; and the birth date as an order that knows no null.
    states text collate "C" not null generated always as (${fieldStates}) stored,
    birth_sort date not null generated always as (coalesce(born_from, 'infinity'::date)) stored,
    created_at timestamptz not null default clock_timestamp(), updated_at timestamptz not null default clock_timestamp(),
    constraint citizen_life_status check (life_status in ('ACTIVE','MOVED_AWAY','DECEASED','MERGED')),
    constraint citizen_merged check ((life_status = 'MERGED') = (merged_into is not null)),
    constraint citizen_birth_precision check (birth_precision in ('DAY','MONTH','YEAR')),
    constraint citizen_birth check (num_nulls(date_of_birth, birth_precision, born_from, born_to) in (0, 4) and born_from <= born_to),
    constraint citizen_gender check (gender in ('MALE','FEMALE','UNDETERMINED')),
    constraint citizen_permanent_confidence check (permanent_confidence in ('EXACT','MAIN_TARGET','UNKNOWN')),
    constraint citizen_current_confidence check (current_confidence in ('EXACT','MAIN_TARGET','UNKNOWN')),
    constraint citizen_field_bits check (confirmed between 0 and 1023 and conflicted between 0 and 1023),
    constraint citizen_sender check ((sender_unit_no is null) = (source_key is null)));
  create index citizen_unit on citizens.citizen (unit_no, id);
  create index citizen_name on citizens.citizen (name_sort, id) include (unit_no);
  create index citizen_unit_name on citizens.citizen (unit_no, name_sort, id);
  -- "include (unit_no)": the row policy is checked in the index, so counting and collecting candidates reads no row.
  create index citizen_updated on citizens.citizen (updated_at, id) include (unit_no);
  create index citizen_unit_updated on citizens.citizen (unit_no, updated_at, id);
  create index citizen_birth on citizens.citizen (birth_sort, id) include (unit_no);
  create index citizen_unit_birth on citizens.citizen (unit_no, birth_sort, id);
  create index citizen_states on citizens.citizen (states, id) include (unit_no);
  create index citizen_unit_states on citizens.citizen (unit_no, states, id);
  create index citizen_life on citizens.citizen (life_status, id) include (unit_no) where life_status <> 'ACTIVE';
  create index citizen_unit_life on citizens.citizen (unit_no, life_status, id) where life_status <> 'ACTIVE';
  create index citizen_merged_into on citizens.citizen (merged_into) where merged_into is not null;
  -- With the unit: a person who moved out of his sender's sight keeps the key, and the sender may give it again.
  create unique index citizen_source_key on citizens.citizen (sender_unit_no, source_key, unit_no) where source_key is not null;
  ${rowsOfUnit('citizens.citizen')}`;

const identifier = `
  create table citizens.identifier (
    id uuid primary key, citizen_id uuid not null references citizens.citizen, unit_no int not null,
    system text not null, value text collate "C" not null, valid_from date, valid_to date, standing text not null, source text not null,
    constraint identifier_system check (system in ('PERSONAL_ID','OLD_ID_NUMBER','PASSPORT','FOREIGN_ID')),
    constraint identifier_standing check (standing in ('CONFIRMED','CLAIMED','CANCELLED')),
    constraint identifier_period check (valid_from <= valid_to));
  create unique index identifier_confirmed on citizens.identifier (system, value) where standing = 'CONFIRMED' and valid_to is null;
  create index identifier_value on citizens.identifier (value, citizen_id);
  create index identifier_citizen on citizens.identifier (citizen_id);
  ${rowsOfUnit('citizens.identifier')}

  -- One row per word start of the folded name: 'nguyen van an', 'van an', 'an'; a search is a range over them.
  create table citizens.name_key (
    unit_no int not null, key text collate "C" not null, citizen_id uuid not null references citizens.citizen,
    primary key (unit_no, key, citizen_id));
  create index name_key_key on citizens.name_key (key, citizen_id) include (unit_no);
  create index name_key_citizen on citizens.name_key (citizen_id);
  ${rowsOfUnit('citizens.name_key')}`;

const findings = `
  create table citizens.verification (
    id uuid primary key, citizen_id uuid not null references citizens.citizen, unit_no int not null, field text not null, outcome text not null,
    source text not null, as_of timestamptz, checked_at timestamptz not null, run_id uuid,
    constraint verification_outcome check (outcome in ('MATCH','MISMATCH','UNKNOWN_PERSON')));
  create index verification_citizen on citizens.verification (citizen_id, checked_at);
  create index verification_run on citizens.verification (run_id) where run_id is not null;
  ${rowsOfUnit('citizens.verification')}

  create table citizens.discrepancy (
    id uuid primary key, version int not null default 1, citizen_id uuid not null references citizens.citizen, unit_no int not null,
    field text not null, kind text not null, found_by text not null, ours text, theirs text, state text not null default 'OPEN',
    raised_at timestamptz not null default clock_timestamp(), settled_at timestamptz, settled_by text, decision text, run_id uuid,
    constraint discrepancy_kind check (kind in ('DIFFERENT','ONLY_THEIRS','ONLY_OURS','UNKNOWN_PERSON','TWO_HOLDERS','INCONSISTENT')),
    constraint discrepancy_found_by check (found_by in ('RECONCILE','IMPORT','CARDS','SLIPS','CLERK')),
    constraint discrepancy_state check (state in ('OPEN','LEASED','SETTLED','WITHDRAWN')));
  create unique index discrepancy_open on citizens.discrepancy (citizen_id, field, kind) where state in ('OPEN','LEASED');
  create index discrepancy_unit_state on citizens.discrepancy (unit_no, state, id);
  create index discrepancy_state_id on citizens.discrepancy (state, id);
  create index discrepancy_state_kind on citizens.discrepancy (state, kind, id);
  create index discrepancy_state_field on citizens.discrepancy (state, field, id);
  create index discrepancy_state_found_by on citizens.discrepancy (state, found_by, id);
  create index discrepancy_citizen on citizens.discrepancy (citizen_id);
  ${rowsOfUnit('citizens.discrepancy')}`;

/*
 * Two people of the hub who hold one number may belong to units that know nothing of each other. Whoever writes one of them must not
 * learn of the other, so the database looks itself, as the owner and over every unit, and says nothing. The work belongs to the
 * lowest unit above all holders; it hangs on the one who came last.
 */
const twoHolders = `
  create function citizens.raise_two_holders(numbers text[]) returns void
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $body$
  declare
    item record;
    raised citizens.discrepancy;
    before text := current_setting('hub.scope', true);
  begin
    perform set_config('hub.scope', '{(,)}', true);
    for item in
      with holder as (
        select distinct i.value, c.id, c.unit_no
        from citizens.identifier i join citizens.citizen c on c.id = i.citizen_id
        where i.system = 'PERSONAL_ID' and i.value = any (numbers) and i.valid_to is null and i.standing <> 'CANCELLED'
          and c.life_status <> 'MERGED'),
      shared as (
        select h.value, (array_agg(h.id order by h.id desc))[1] as newest, (array_agg(h.unit_no order by h.id desc))[1] as newest_unit,
          array_agg(distinct h.unit_no) as units
        from holder h group by h.value having count(*) > 1)
      select s.value, s.newest, s.newest_unit, above.unit_no
      from shared s cross join lateral (
        with recursive up(unit, at, steps) as (
          select u, u, 0 from unnest(s.units) u
          union all
          select up.unit, p.parent_number, up.steps + 1 from up join hub.unit p on p.number = up.at
          where p.parent_number is not null and up.steps < 64)
        select up.at as unit_no from up group by up.at having count(distinct up.unit) = cardinality(s.units)
        order by max(up.steps), up.at limit 1) above
    loop
      insert into citizens.discrepancy (id, citizen_id, unit_no, field, kind, found_by, ours)
        values (uuidv7(), item.newest, item.unit_no, 'PERSONAL_ID', 'TWO_HOLDERS', 'IMPORT', item.value)
        on conflict (citizen_id, field, kind) where state in ('OPEN','LEASED') do nothing
        returning * into raised;
      if found then
        insert into hub.outbox (kind, subject, version, unit_after, payload)
          values ('WORK', raised.id, raised.version, raised.unit_no, jsonb_build_object('source', 'CITIZENS', 'kind', raised.kind,
            'field', raised.field, 'citizenId', raised.citizen_id, 'citizenUnit', item.newest_unit, 'foundBy', raised.found_by, 'state', raised.state,
            'raisedAt', to_char(raised.raised_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')));
      end if;
    end loop;
    -- Back to the caller's own; an error undoes it with its transaction.
    perform set_config('hub.scope', coalesce(before, ''), true);
  end $body$;`;
