import { Migration } from '@mikro-orm/migrations';

/**
 * A search by name finds its page in the index of the keys alone: they carry the words before them, the place in the order by name, and
 * what a filter asks of birth and life. Indexes of orders carry what every filter asks, so that walking them opens no row.
 */
export class NamesInOrder extends Migration {
  override up(): void {
    this.addSql(`
      alter table citizens.name_key drop constraint name_key_pkey;
      drop index citizens.name_key_key, citizens.name_key_citizen;
      truncate citizens.name_key;
      alter table citizens.name_key
        add column words_before text collate "C" not null,
        add column name_sort text collate "vi-x-icu" not null,
        add column birth_sort date not null,
        add column born_to date,
        add column life_status text not null;
      select set_config('hub.scope', '{(,)}', true);
      insert into citizens.name_key (unit_no, key, citizen_id, words_before, name_sort, birth_sort, born_to, life_status)
        select c.unit_no, array_to_string(w.words[i:], ' '), c.id, array_to_string(w.words[:i - 1], ' '), c.name_sort, c.birth_sort, c.born_to, c.life_status
        from citizens.citizen c cross join lateral string_to_array(c.name_folded, ' ') w(words)
          cross join lateral generate_subscripts(w.words, 1) i;
      select set_config('hub.scope', '', true);
      alter table citizens.name_key add constraint name_key_pkey primary key (citizen_id, key);
      create index name_key_unit on citizens.name_key (unit_no, key, citizen_id)
        include (words_before, name_sort, birth_sort, born_to, life_status);
      create index name_key_key on citizens.name_key (key, citizen_id)
        include (unit_no, words_before, name_sort, birth_sort, born_to, life_status);
      analyze citizens.name_key;`);
    this.addSql(trigger);
    this.addSql(orders);
  }
}

/** Made by PostgreSQL, so that a key never says other than its citizen; a name that changes gets new keys from whoever writes it. */
const trigger = `
  create function citizens.keep_name_keys() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $body$
  begin
    update citizens.name_key set birth_sort = new.birth_sort, born_to = new.born_to, life_status = new.life_status
      where citizen_id = new.id;
    return null;
  end $body$;
  create trigger keep_name_keys after update on citizens.citizen for each row
    when ((old.birth_sort, old.born_to, old.life_status) is distinct from (new.birth_sort, new.born_to, new.life_status))
    execute function citizens.keep_name_keys();`;

const orders = `
  drop index citizens.citizen_unit, citizens.citizen_name, citizens.citizen_unit_name, citizens.citizen_updated, citizens.citizen_unit_updated,
    citizens.citizen_birth, citizens.citizen_unit_birth;
  create index citizen_unit on citizens.citizen (unit_no, id) include (life_status, states, birth_sort, born_to, updated_at, name_folded);
  create index citizen_name on citizens.citizen (name_sort, id)
    include (unit_no, life_status, states, birth_sort, born_to, updated_at, name_folded);
  create index citizen_unit_name on citizens.citizen (unit_no, name_sort, id)
    include (life_status, states, birth_sort, born_to, updated_at, name_folded);
  create index citizen_updated on citizens.citizen (updated_at, id) include (unit_no, life_status, states, birth_sort, born_to, name_folded);
  create index citizen_unit_updated on citizens.citizen (unit_no, updated_at, id) include (life_status, states, birth_sort, born_to, name_folded);
  create index citizen_birth on citizens.citizen (birth_sort, id) include (unit_no, life_status, states, born_to, updated_at, name_folded);
  create index citizen_unit_birth on citizens.citizen (unit_no, birth_sort, id) include (life_status, states, born_to, updated_at, name_folded);
  analyze citizens.citizen;`;
