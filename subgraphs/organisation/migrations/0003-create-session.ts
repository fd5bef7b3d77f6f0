import { Migration } from '@mikro-orm/migrations';

/** Who is logged in to the admin. The cookie itself stands nowhere: what is kept is its SHA-256. */
export class CreateSession extends Migration {
  override up(): void {
    this.addSql(`
      create table organisation.session (
        id uuid primary key default uuidv7(), key text collate "C" not null,
        account_id uuid not null references organisation.account, agent text not null,
        created_at timestamptz not null default clock_timestamp(), last_seen_at timestamptz not null default clock_timestamp(),
        expires_at timestamptz not null);
      create unique index session_key on organisation.session (key);
      create index session_account on organisation.session (account_id, id);
      create index session_expiry on organisation.session (expires_at);`);
  }
}
