/*
 * Under which keys a citizen's name is found: his folded name from each of its words on, so that a search for any word, from its start, is
 * one range of an index. A key carries what a list by name filters and sorts by.
 */

/** Writes the keys of the citizens `$1::uuid[]`, who have none. */
export const insertNameKeys = `insert into citizens.name_key
    (unit_no, key, citizen_id, words_before, name_sort, birth_sort, born_to, life_status)
  select c.unit_no, array_to_string(w.words[i:], ' '), c.id, array_to_string(w.words[:i - 1], ' '),
    c.name_sort, c.birth_sort, c.born_to, c.life_status
  from citizens.citizen c cross join lateral string_to_array(c.name_folded, ' ') w(words)
    cross join lateral generate_subscripts(w.words, 1) i
  where c.id = any ($1::uuid[])`;

/**
 * Words that were typed stand in a name in their order, with others between them or none; all are whole but the last, of which this may
 * be the start. With two blanks between the words of the name, every one of them has one on each side. No sign of a name is a joker.
 */
export function spread(words: string): string {
  return `' ' || replace(${words}, ' ', '  ') || ' '`;
}

export function wholeWords(words: readonly string[]): string {
  return `%${words.map((word) => ` ${word} %`).join('')}`;
}

export function inOrder(words: readonly string[]): string {
  return `${wholeWords(words.slice(0, -1))} ${words.at(-1) ?? ''}%`;
}
