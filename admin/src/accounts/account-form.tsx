import type { ReactNode } from 'react';
import { useParams } from 'react-admin';
import { mutations } from '../api/mutations.ts';
import type { AccountRecord } from '../api/account-records.ts';
import type { FormAct, FormField } from '../forms/form-spec.ts';
import { RecordForm } from '../forms/record-form.tsx';
import { accountRoles } from './roles.ts';

const fields: readonly FormField[] = [
  { key: 'name', label: 'accounts.name', kind: 'text', required: true, wide: true },
  { key: 'email', label: 'accounts.email', kind: 'text' },
  { key: 'orgUnitId', label: 'column.unit', kind: 'unit', required: true, wide: true, rule: 'accounts.unitRule' },
  { key: 'role', label: 'accounts.role', kind: 'choice', required: true, options: accountRoles, rule: 'accounts.roleRule' },
];
const login: FormField = {
  key: 'login',
  label: 'accounts.login',
  kind: 'text',
  required: true,
  form: /^[a-z][a-z0-9_]{2,63}$/,
  rule: 'accounts.loginRule',
};

const shared = { resource: 'accounts', permission: 'account:write', nameOf: ({ login: name }: AccountRecord) => name } as const;

const create: FormAct<AccountRecord> = {
  ...shared,
  name: 'create',
  title: 'accounts.add',
  verb: 'form.create',
  done: 'form.done.created',
  mutation: mutations.CreateAccount,
  groups: () => [{ title: 'accounts.one', fields: [login, ...fields] }],
  read: () => ({}),
  noteOf: () => 'accounts.passwordNote',
};
const update: FormAct<AccountRecord> = {
  ...shared,
  name: 'update',
  title: 'accounts.edit',
  verb: 'form.save',
  done: 'form.done.saved',
  mutation: mutations.UpdateAccount,
  groups: () => [{ title: 'accounts.one', fields }],
  read: ({ name, email, orgUnit, role }) => ({ name, email: email ?? '', orgUnitId: orgUnit?.id ?? '', role }),
};

/** Addresses: `/accounts/create`, `/accounts/ID`. */
export function AccountForm(): ReactNode {
  const { id } = useParams();
  return id === undefined ? <RecordForm act={create} id={null} /> : <RecordForm key={id} act={update} id={id} />;
}
