import { Migration } from '@mikro-orm/migrations';

/** A code of the second factor is good once: the step of time of the last one that was accepted. */
export class SecondFactorStep extends Migration {
  override up(): void {
    this.addSql('alter table organisation.account add column totp_step bigint;');
  }
}
