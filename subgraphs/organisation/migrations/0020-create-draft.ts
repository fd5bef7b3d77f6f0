import { Migration } from '@mikro-orm/migrations';

/** What somebody was typing into a form of the admin, sealed for his account. */
export class CreateDraft extends Migration {
  override up(): void {
    this.addSql(`
      create table organisation.draft (
        account_id uuid not null references organisation.account, place text collate "C" not null, sealed text not null,
        saved_at timestamptz not null default clock_timestamp(),
        primary key (account_id, place));
      create index draft_saved on organisation.draft (saved_at);`);
  }
}
