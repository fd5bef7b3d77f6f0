import { parseEmail, parsePhone } from '#kernel/domain/contact.ts';
import { parseEthnicity } from '#kernel/domain/ethnic-groups.ts';
import type { Gender } from '#kernel/domain/gender.ts';
import { parseOldIdNumber, parsePersonalId } from '#kernel/domain/personal-id.ts';
import { parsePersonName } from '#kernel/domain/person-name.ts';
import { parseBirthDate, type PlainDay } from '#kernel/domain/plain-date.ts';
import { refusal, valueOf } from '#kernel/errors/hub-error.ts';
import { listsWith, type PlaceList } from '#kernel/places/index.ts';
import { knownWord, parseWritten, stated } from '#kernel/records/stated.ts';
import { parseCommune } from './import-file.ts';
import type { Values } from './import-match.ts';

/* What a clerk states about a citizen, field by field: absent keeps, null erases, a masked value is refused. */

export interface AddressInput {
  readonly text?: string | null;
  readonly code?: string | null;
  readonly listVersion?: string | null;
}

/** Fields as the graph names them. */
export interface CitizenInput {
  readonly fullName?: string | null;
  readonly personalId?: string | null;
  readonly oldIdNumber?: string | null;
  readonly dateOfBirth?: string | null;
  readonly gender?: Gender | null;
  readonly ethnicity?: string | null;
  readonly phone?: string | null;
  readonly email?: string | null;
  readonly birthplace?: string | null;
  readonly nativePlace?: string | null;
  readonly permanentAddress?: AddressInput | null;
  readonly currentAddress?: AddressInput | null;
}

type StatedValues = { readonly [Name in keyof Values]?: Values[Name] };

export interface StatedFields {
  /** Only what was stated; an address is stated as a whole. */
  readonly values: StatedValues;
  readonly lists: { readonly permanent: PlaceList | null; readonly current: PlaceList | null };
}

/** Throws the refusal of the first field that is none. */
export function statedFields(input: CitizenInput, today: PlainDay): StatedFields {
  if (input.fullName === null) throw refusal('FIELD_REQUIRED', { field: 'fullName' });
  const permanent = address('permanentAddress', input.permanentAddress);
  const current = address('currentAddress', input.currentAddress);
  return {
    values: {
      ...(input.fullName !== undefined && { fullName: valueOf(parsePersonName(input.fullName), 'fullName') }),
      ...stated('personalId', input.personalId, parsePersonalId),
      ...stated('oldIdNumber', input.oldIdNumber, parseOldIdNumber),
      ...stated('dateOfBirth', input.dateOfBirth, (text) => parseBirthDate(text, today)),
      ...stated('gender', input.gender, knownWord),
      ...stated('ethnicity', input.ethnicity, parseEthnicity),
      ...stated('phone', input.phone, parsePhone),
      ...stated('email', input.email, parseEmail),
      ...stated('birthplace', input.birthplace, parseWritten),
      ...stated('nativePlace', input.nativePlace, parseWritten),
      ...(permanent !== null && { permanentAddress: permanent.text, permanentCommune: permanent.code }),
      ...(current !== null && { currentAddress: current.text, currentCommune: current.code }),
    },
    lists: { permanent: permanent?.list ?? null, current: current?.list ?? null },
  };
}

interface StatedAddress {
  readonly text: string | null;
  readonly code: string | null;
  readonly list: PlaceList | null;
}

/** Several communes of today have a code that meant another one before 01/07/2025: then only the sender knows which list he used. */
function address(field: string, input: AddressInput | null | undefined): StatedAddress | null {
  if (input === undefined) return null;
  if (input === null) return { text: null, code: null, list: null };
  const text = stated(`${field}.text`, input.text, parseWritten)[`${field}.text`] ?? null;
  const code = typeof input.code === 'string' ? valueOf(parseCommune(input.code), `${field}.code`) : null;
  if (code === null) return { text, code, list: null };
  const lists = listsWith(code);
  const { listVersion } = input;
  if (typeof listVersion === 'string') {
    const list = lists.find((one) => one === listVersion);
    if (list === undefined) throw refusal('COMMUNE_UNKNOWN', { field: `${field}.code` });
    return { text, code, list };
  }
  const [only, second] = lists;
  if (only === undefined) throw refusal('COMMUNE_UNKNOWN', { field: `${field}.code` });
  if (second !== undefined) throw refusal('COMMUNE_LIST', { field: `${field}.listVersion` });
  return { text, code, list: only };
}
