import type { ReactNode } from 'react';
import { useLocation, useParams } from 'react-admin';
import { mutations } from '../api/mutations.ts';
import type { UnitRecord } from '../api/records.ts';
import { recordActs, type FormField } from '../forms/form-spec.ts';
import { RecordForm } from '../forms/record-form.tsx';
import { optionsOf } from '../lists/options.ts';

const facts = (unit: UnitRecord | null): readonly FormField[] => [
  { key: 'name', label: 'units.name', kind: 'text', required: true, wide: true, rule: 'rule.unitName' },
  { key: 'code', label: 'column.unitCode', kind: 'text', required: true, rule: 'rule.unitCode' },
  { key: 'level', label: 'column.level', kind: 'choice', required: true, options: optionsOf('level'), rule: 'rule.unitLevel' },
  ...(unit !== null && unit.parent === null
    ? []
    : [
        {
          key: 'parentId',
          label: 'units.parent',
          kind: 'unit',
          required: true,
          wide: true,
          ...(unit !== null && { rule: 'rule.unitParent' as const }),
        } as const,
      ]),
];

const acts = recordActs<UnitRecord>({
  resource: 'units',
  permission: 'unit:write',
  nameOf: ({ name, code }) => name ?? code ?? '–',
  titles: { create: 'form.title.createUnit', update: 'form.title.updateUnit', withdraw: 'form.title.withdrawUnit' },
  mutations: { create: mutations.CreateOrgUnit, update: mutations.UpdateOrgUnit, withdraw: mutations.WithdrawOrgUnit },
  first: [],
  title: 'form.group.unit',
  fields: facts,
  read: (unit) => ({
    name: unit.name ?? '',
    code: unit.code ?? '',
    level: unit.level ?? '',
    parentId: unit.parent?.id ?? '',
  }),
  closed: () => null,
  withdrawVerb: 'units.close',
  withdrawNote: 'form.note.withdrawUnit',
});

/** Addresses: `/units/create?parent=…`, `/units/ID`, `/units/ID?act=withdraw`. */
export function UnitForm(): ReactNode {
  const { id } = useParams();
  const given = new URLSearchParams(useLocation().search);
  if (id === undefined) {
    const parent = given.get('parent') ?? '';
    return <RecordForm act={acts.create} id={null} preset={/^u\d{1,9}$/.test(parent) ? { parentId: parent } : {}} />;
  }
  const act = given.get('act') === 'withdraw' ? acts.withdraw : acts.update;
  return <RecordForm key={`${id}${act.name}`} act={act} id={id} />;
}
