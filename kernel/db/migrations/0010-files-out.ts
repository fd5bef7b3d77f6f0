import { Migration } from '@mikro-orm/migrations';

/** Links of the files origin that were used: each is good once. Rows are forgotten some time after their link is over. */
export class FilesOut extends Migration {
  override up(): void {
    this.addSql(`
      create table hub.used_link (no text collate "C" primary key, expires_at timestamptz not null);
      create index used_link_expires on hub.used_link (expires_at);`);
  }
}
