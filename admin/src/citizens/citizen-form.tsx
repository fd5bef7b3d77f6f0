import type { ReactNode } from 'react';
import { useLocation, useParams } from 'react-admin';
import { mutations } from '../api/mutations.ts';
import type { Citizen } from '../api/records.ts';
import { partialDay } from '../format.ts';
import { trueFrom, withdrawReason, type FormAct, type FormField, type FormGroup } from '../forms/form-spec.ts';
import { RecordForm } from '../forms/record-form.tsx';
import { optionsOf } from '../lists/options.ts';
import { usePrincipal } from '../parts/use-principal.ts';
import { citizenChange } from './citizen-change.ts';

function address(key: 'permanentAddress' | 'currentAddress'): readonly FormField[] {
  return [
    { key: `${key}.text`, label: 'form.addressText', kind: 'text', wide: true, rule: 'rule.addressText' },
    { key: `${key}.code`, label: 'form.communeCode', kind: 'text', figures: true, rule: 'rule.commune', form: /^\d{5}$/ },
    {
      key: `${key}.listVersion`,
      label: 'form.communeList',
      kind: 'choice',
      options: [
        { value: '2025', label: 'form.list2025' },
        { value: '2024', label: 'form.list2024' },
      ],
      rule: 'rule.communeList',
    },
  ];
}

const sheet: readonly FormGroup[] = [
  {
    title: 'form.group.person',
    fields: [
      { key: 'fullName', label: 'enum.field.FULL_NAME', kind: 'text', required: true, rule: 'rule.fullName', wide: true },
      { key: 'dateOfBirth', label: 'enum.field.DATE_OF_BIRTH', kind: 'text', figures: true, rule: 'rule.dateOfBirth' },
      { key: 'gender', label: 'enum.field.GENDER', kind: 'choice', options: optionsOf('gender') },
      { key: 'ethnicity', label: 'citizen.ethnicity', kind: 'text', figures: true, rule: 'rule.ethnicity', form: /^\d{2}$/ },
    ],
  },
  {
    title: 'form.group.contact',
    fields: [
      { key: 'phone', label: 'enum.field.PHONE', kind: 'text', figures: true, rule: 'rule.phone', form: /^(?:\+84|0)\d{9,10}$/ },
      { key: 'email', label: 'enum.field.EMAIL', kind: 'text', rule: 'rule.email' },
    ],
  },
  {
    title: 'form.group.numbers',
    fields: [
      {
        key: 'personalId',
        label: 'enum.field.PERSONAL_ID',
        kind: 'text',
        figures: true,
        rule: 'rule.personalId',
        form: /^\d{12}$/,
      },
      {
        key: 'oldIdNumber',
        label: 'enum.field.OLD_ID_NUMBER',
        kind: 'text',
        figures: true,
        rule: 'rule.oldIdNumber',
        form: /^\d{9}$/,
      },
    ],
  },
  {
    title: 'form.group.origin',
    fields: [
      { key: 'birthplace', label: 'enum.field.BIRTHPLACE', kind: 'text', wide: true, rule: 'rule.written' },
      { key: 'nativePlace', label: 'enum.field.NATIVE_PLACE', kind: 'text', wide: true, rule: 'rule.written' },
    ],
  },
  { title: 'enum.field.PERMANENT_ADDRESS', fields: address('permanentAddress') },
  { title: 'citizen.currentAddress', fields: address('currentAddress') },
];

function groupsOf(row: Citizen | null): readonly FormGroup[] {
  const away = row !== null && row.lifeStatus !== 'ACTIVE';
  return [
    ...sheet,
    {
      title: 'form.group.record',
      fields: [
        {
          key: 'orgUnitId',
          label: 'column.unit',
          kind: 'unit',
          required: true,
          rule: row === null ? 'rule.unitNew' : 'rule.unitMove',
        },
        ...(away
          ? [
              {
                key: 'lifeStatus',
                label: 'column.life',
                kind: 'choice',
                options: optionsOf('lifeStatus', ['ACTIVE', row.lifeStatus]),
                rule: 'rule.lifeStatus',
              } as const,
            ]
          : []),
        trueFrom,
      ],
    },
  ];
}

const shared = {
  resource: 'citizens',
  permission: 'citizen:write',
  nameOf: ({ fullName }: Citizen) => fullName,
} as const;

const update: FormAct<Citizen> = {
  ...shared,
  name: 'update',
  title: 'form.title.updateCitizen',
  verb: 'form.save',
  done: 'form.done.saved',
  mutation: mutations.UpdateCitizen,
  groups: groupsOf,
  read: (row) => ({
    fullName: row.fullName,
    dateOfBirth: partialDay(row.dateOfBirth),
    gender: row.gender ?? '',
    ethnicity: row.ethnicity ?? '',
    phone: row.phone ?? '',
    email: row.email ?? '',
    personalId: row.personalId ?? '',
    oldIdNumber: row.oldIdNumber ?? '',
    birthplace: row.birthplace ?? '',
    nativePlace: row.nativePlace ?? '',
    orgUnitId: row.orgUnit.id,
    lifeStatus: row.lifeStatus,
    ...addressValues('permanentAddress', row.permanentAddress),
    ...addressValues('currentAddress', row.currentAddress),
  }),
  async reveal(hub, id, purpose) {
    const shown = await hub.reveal(id, purpose);
    return {
      phone: shown?.phone ?? '',
      email: shown?.email ?? '',
      personalId: shown?.personalId ?? '',
      oldIdNumber: shown?.oldIdNumber ?? '',
    };
  },
  closed: citizenChange.closedEdit,
};

function addressValues(key: string, address: Citizen['permanentAddress']): Record<string, string> {
  return {
    [`${key}.text`]: address?.text ?? '',
    [`${key}.code`]: address?.code ?? '',
    [`${key}.listVersion`]: address?.listVersion ?? '',
  };
}

const create: FormAct<Citizen> = {
  ...shared,
  name: 'create',
  title: 'form.title.createCitizen',
  verb: 'form.create',
  done: 'form.done.created',
  mutation: mutations.CreateCitizen,
  groups: groupsOf,
  read: () => ({}),
};

const withdraw: FormAct<Citizen> = {
  ...shared,
  name: 'withdraw',
  title: 'form.title.withdrawCitizen',
  verb: 'form.withdrawCitizen',
  done: 'form.done.withdrawn',
  noteOf: () => 'form.note.withdrawCitizen',
  mutation: mutations.WithdrawCitizen,
  groups: () => [
    {
      title: 'form.group.withdraw',
      fields: [
        {
          key: 'lifeStatus',
          label: 'form.whatHappened',
          kind: 'choice',
          required: true,
          options: optionsOf('lifeStatus', ['MOVED_AWAY', 'DECEASED']),
        },
        trueFrom,
        withdrawReason,
      ],
    },
  ],
  read: () => ({}),
  closed: citizenChange.closedWithdraw,
};

export function CitizenForm(): ReactNode {
  const { id = '' } = useParams();
  const given = new URLSearchParams(useLocation().search);
  const act = given.get('act') === 'withdraw' ? withdraw : update;
  return <RecordForm key={`${id}${act.name}`} act={act} id={id} focus={given.get('field')} />;
}

/** A new person is kept by one's own unit unless another is chosen. */
export function NewCitizen(): ReactNode {
  const principal = usePrincipal();
  if (principal === undefined) return null;
  return <RecordForm act={create} id={null} preset={{ orgUnitId: principal.orgUnit?.id ?? '' }} />;
}
