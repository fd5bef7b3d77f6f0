/*
 * Pieces of SQL that several migrations share. A migration that has run somewhere must keep its meaning for ever, so nothing
 * here is ever changed: what must differ gets a new function beside the old one.
 */

/** Unit numbers the session may touch; unset or '' (a variable that the connection used before) means none. Evaluated once per statement. */
export const sessionScope = `(select (nullif(current_setting('hub.scope'::text, true), ''::text))::int4multirange)`;

/**
 * Lock two for rows that belong to one unit. Without `coalesce` the planner believes that a scope holds 0.5 % of the rows and
 * sorts the whole table for a page of twenty. FORCE binds the owner too.
 */
export function rowsOfUnit(table: string): string {
  return `
    alter table ${table} enable row level security;
    alter table ${table} force row level security;
    create policy scope on ${table}
      using (coalesce(unit_no <@ ${sessionScope}, false))
      with check (coalesce(unit_no <@ ${sessionScope}, false));`;
}

/** Lock two for slips and what hangs on them: the citizen's unit or the issuing facility. An entered slip is written by the citizen's unit alone. */
export function rowsOfUnitOrFacility(table: string, mayWriteAsFacility: string): string {
  return `
    alter table ${table} enable row level security;
    alter table ${table} force row level security;
    create policy scope on ${table}
      using (coalesce(unit_no <@ ${sessionScope} or facility_no <@ ${sessionScope}, false))
      with check (coalesce(unit_no <@ ${sessionScope} or (${mayWriteAsFacility} and facility_no <@ ${sessionScope}), false));`;
}

/**
 * Answers kept for repeats of a mutation: seen only by the principal who sent it. What is older than the seven days of the
 * promise is open to maintenance (a session of the whole scope) so that retention can remove it.
 */
export function idempotency(schema: string): string {
  const own = `coalesce(principal = (select nullif(current_setting('hub.principal'::text, true), ''::text)), false)`;
  return `
    create table ${schema}.idempotency (
      principal text not null, operation text not null, key text collate "C" not null,
      body_hash bytea not null, outcome jsonb not null, at timestamptz not null default clock_timestamp(),
      primary key (principal, operation, key));
    create index idempotency_at on ${schema}.idempotency (at);
    alter table ${schema}.idempotency enable row level security;
    alter table ${schema}.idempotency force row level security;
    create policy own on ${schema}.idempotency using (${own}) with check (${own});
    create policy retention on ${schema}.idempotency
      using (at < now() - interval '7 days' and coalesce((select current_setting('hub.scope'::text, true)) = '{(,)}', false))
      with check (false);`;
}

/** History of the records of one subgraph: who, cause, when known, from when true, before, after. */
export function change(schema: string, subject: string, place: string): string {
  return `
    create table ${schema}.change (
      id uuid primary key default uuidv7(), ${subject}, ${place}, version int not null,
      at timestamptz not null default clock_timestamp(), effective_from date,
      principal text not null, principal_name text not null,
      cause text not null, cause_id text, action text not null, before jsonb, after jsonb,
      constraint change_cause check (cause in ('MUTATION','IMPORT','CHANGE_SET','GENERATE','UNDO')));`;
}

/**
 * What a subgraph keeps of a citizen, fed from the outbox in commit order; written by nothing else but seed and rebuild. The
 * hashes stand once more as rows, kept by a trigger: behind a row policy an index on an array is never used, one on bytea is. No foreign key: checking it was a third of the cost of writing a replica.
 */
export function citizenReplica(schema: string): string {
  return `
    create table ${schema}.citizen (
      id uuid primary key, unit_no int not null, life_status text not null, merged_into uuid,
      identifier_hashes bytea[] not null default '{}', version int not null,
      constraint citizen_life_status check (life_status in ('ACTIVE','MOVED_AWAY','DECEASED','MERGED')));
    create index citizen_unit on ${schema}.citizen (unit_no, id);
    create index citizen_merged_into on ${schema}.citizen (merged_into) where merged_into is not null;
    ${rowsOfUnit(`${schema}.citizen`)}

    create table ${schema}.citizen_hash (
      hash bytea not null, citizen_id uuid not null, unit_no int not null,
      primary key (hash, citizen_id));
    create index citizen_hash_citizen on ${schema}.citizen_hash (citizen_id);
    ${rowsOfUnit(`${schema}.citizen_hash`)}

    create function ${schema}.keep_citizen_hash() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $body$
    begin
      if tg_op = 'DELETE' then
        delete from ${schema}.citizen_hash h using gone g where h.citizen_id = g.id;
        return null;
      end if;
      if tg_op = 'UPDATE' then
        delete from ${schema}.citizen_hash h using fresh f
          where h.citizen_id = f.id and (h.unit_no <> f.unit_no or h.hash <> all (f.identifier_hashes));
      end if;
      insert into ${schema}.citizen_hash (hash, citizen_id, unit_no)
        select distinct hash, f.id, f.unit_no from fresh f, unnest(f.identifier_hashes) hash
        on conflict do nothing;
      return null;
    end $body$;
    create trigger citizen_hash_insert after insert on ${schema}.citizen
      referencing new table as fresh for each statement execute function ${schema}.keep_citizen_hash();
    create trigger citizen_hash_delete after delete on ${schema}.citizen
      referencing old table as gone for each statement execute function ${schema}.keep_citizen_hash();
    create trigger citizen_hash_update after update on ${schema}.citizen
      referencing new table as fresh for each statement execute function ${schema}.keep_citizen_hash();`;
}

/** Work that a decision on this subgraph's tables settles. */
export function work(schema: string, subject: string, place: string): string {
  return `
    create table ${schema}.work (
      id uuid primary key, version int not null default 1, ${subject}, citizen_id uuid, ${place},
      field text, kind text not null, found_by text not null, state text not null default 'OPEN',
      raised_at timestamptz not null default clock_timestamp(), settled_at timestamptz, settled_by text, decision text, run_id uuid,
      constraint work_found_by check (found_by in ('RECONCILE','IMPORT','CARDS','SLIPS','CLERK')),
      constraint work_state check (state in ('OPEN','LEASED','SETTLED','WITHDRAWN')));
    create index work_unit_state on ${schema}.work (unit_no, state, id);
    create index work_state_id on ${schema}.work (state, id);
    create index work_citizen on ${schema}.work (citizen_id);`;
}
