/*
 * Which columns the file of each kind may have, in the order of the ministry's forms. The hub recognises headings by itself; here they are
 * for a person who says what a heading means, and to guess the kind of a file before it is sent.
 */

export const importKinds = ['CITIZENS', 'CARDS', 'RESULTS', 'UNITS'] as const;
export type ImportKind = (typeof importKinds)[number];

export const columnsOf = {
  CITIZENS: [
    'personal_id',
    'old_id_number',
    'full_name',
    'date_of_birth',
    'gender',
    'ethnicity',
    'phone',
    'email',
    'birthplace',
    'native_place',
    'permanent_address',
    'permanent_commune',
    'current_address',
    'current_commune',
    'commune_list',
    'unit_code',
    'source_key',
  ],
  CARDS: ['number', 'personal_id', 'full_name', 'date_of_birth', 'valid_from', 'valid_to', 'registered_facility', 'issuer'],
  RESULTS: ['code', 'personal_id', 'name', 'kind', 'issuing_agency', 'issued_on', 'valid_to', 'excerpt', 'file'],
  UNITS: ['code', 'name', 'level', 'parent_code', 'valid_from'],
} as const satisfies Readonly<Record<ImportKind, readonly string[]>>;

/** Words of a heading that tell a kind, without tones: those of the columns and those of the forms here. */
const signs: readonly (readonly [ImportKind, RegExp])[] = [
  ['UNITS', /\b(parent code|ma don vi cap tren|cap don vi|level)\b/],
  ['RESULTS', /\b(issuing agency|co quan cap|ma giay to|excerpt|trich yeu)\b/],
  ['CARDS', /\b(registered facility|noi dang ky|so the|ma the|valid from|issuer)\b/],
  ['CITIZENS', /\b(full name|ho va ten|ho ten|gender|gioi tinh|personal id)\b/],
];

function plain(text: string): string {
  return text
    .normalize('NFD')
    .replace(/\p{Mn}/gu, '')
    .toLowerCase()
    .replaceAll('đ', 'd')
    .replace(/[^a-z0-9]+/g, ' ');
}

/** What a file seems to hold, by its first line; null where nothing tells. */
export function kindOf(firstLine: string): ImportKind | null {
  const text = plain(firstLine);
  return signs.find(([, sign]) => sign.test(text))?.[0] ?? null;
}

/** The first line of a file, as far as a heading can reach. */
export async function firstLineOf(file: Blob): Promise<string> {
  return (await file.slice(0, 8_192).text()).split(/\r?\n/, 1)[0] ?? '';
}
