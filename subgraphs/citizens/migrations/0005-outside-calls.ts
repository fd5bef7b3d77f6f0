import { Migration } from '@mikro-orm/migrations';

/** Until when the calls to a system of somebody else are given out: what was agreed holds for all processes together. */
export class OutsideCalls extends Migration {
  override up(): void {
    this.addSql(`
      create table citizens.outside_calls (system text primary key, free_at timestamptz not null);`);
  }
}
