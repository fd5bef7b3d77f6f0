import { Migration } from '@mikro-orm/migrations';

/**
 * What the graph shows of an account: whether it has a second factor, never the secret; and when somebody used it last, which outlives
 * the session that he used it by.
 */
export class AccountSeen extends Migration {
  override up(): void {
    this.addSql(`
      alter table organisation.account
        add column second_factor bool not null generated always as (totp_secret is not null) stored,
        add column last_seen_at timestamptz;

      create function organisation.note_seen() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $body$
      begin
        update organisation.account set last_seen_at = new.last_seen_at where id = new.account_id;
        return null;
      end $body$;
      create trigger note_seen after insert or update of last_seen_at on organisation.session
        for each row execute function organisation.note_seen();`);
  }
}
