import type { SchemaMigrations } from '#kernel/db/migrator.ts';
import { CreateCitizens } from './0001-create-citizens.ts';
import { NumberHolders } from './0002-number-holders.ts';
import { HandOver } from './0003-hand-over.ts';
import { ConfirmNumbers } from './0004-confirm-numbers.ts';
import { OutsideCalls } from './0005-outside-calls.ts';
import { NamesInOrder } from './0006-names-in-order.ts';

export const citizensMigrations: SchemaMigrations = {
  schema: 'citizens',
  migrations: [
    { name: '0001-create-citizens', class: CreateCitizens },
    { name: '0002-number-holders', class: NumberHolders },
    { name: '0003-hand-over', class: HandOver },
    { name: '0004-confirm-numbers', class: ConfirmNumbers },
    { name: '0005-outside-calls', class: OutsideCalls },
    { name: '0006-names-in-order', class: NamesInOrder },
  ],
};
