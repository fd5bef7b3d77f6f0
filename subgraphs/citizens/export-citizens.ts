import { nodeIn, plainCells, textOf, type ExportKind, type Node } from '#kernel/exports/export-kind.ts';

const genders: Readonly<Record<string, string>> = { MALE: '1', FEMALE: '2', UNDETERMINED: '3' };

/** A file of it comes in again and changes nothing. */
export const citizensExport: ExportKind = {
  kind: 'CITIZENS',
  word: 'citizens',
  list: 'citizens',
  filterType: 'CitizenFilter',
  selection: `id orgUnit { id } lifeStatus personalId oldIdNumber fullName dateOfBirth { value } gender ethnicity phone email birthplace nativePlace
    permanentAddress { text code listVersion } currentAddress { text code listVersion }`,
  order: 'id',
  cells(node, unitCodes) {
    const permanent = nodeIn(node, 'permanentAddress');
    const current = nodeIn(node, 'currentAddress');
    const list = textOf(permanent, 'listVersion') ?? textOf(current, 'listVersion');
    // One list holds for the row: a code of the other one would name another place.
    const code = (address: Node | null): string | null =>
      textOf(address, 'listVersion') === list ? textOf(address, 'code') : null;
    return {
      personal_id: textOf(node, 'personalId'),
      old_id_number: textOf(node, 'oldIdNumber'),
      full_name: textOf(node, 'fullName'),
      date_of_birth: textOf(nodeIn(node, 'dateOfBirth'), 'value'),
      gender: genders[textOf(node, 'gender') ?? ''] ?? null,
      ethnicity: textOf(node, 'ethnicity'),
      phone: textOf(node, 'phone'),
      email: textOf(node, 'email'),
      birthplace: textOf(node, 'birthplace'),
      native_place: textOf(node, 'nativePlace'),
      permanent_address: textOf(permanent, 'text'),
      permanent_commune: code(permanent),
      current_address: textOf(current, 'text'),
      current_commune: code(current),
      commune_list: list,
      unit_code: unitCodes.get(textOf(nodeIn(node, 'orgUnit'), 'id') ?? '') ?? null,
      id: textOf(node, 'id'),
      life_status: textOf(node, 'lifeStatus'),
    };
  },
};

export const discrepanciesExport: ExportKind = {
  kind: 'DISCREPANCIES',
  word: 'discrepancies',
  list: 'discrepancies',
  filterType: 'DiscrepancyFilter',
  selection: 'id citizen { id } field kind foundBy ours theirs state raisedAt orgUnit { id }',
  order: 'id',
  cells: (node, unitCodes) => ({
    ...plainCells(node, {
      id: 'id',
      field: 'field',
      kind: 'kind',
      found_by: 'foundBy',
      ours: 'ours',
      theirs: 'theirs',
      state: 'state',
      raised_at: 'raisedAt',
    }),
    citizen_id: textOf(nodeIn(node, 'citizen'), 'id'),
    unit_code: unitCodes.get(textOf(nodeIn(node, 'orgUnit'), 'id') ?? '') ?? null,
  }),
};
