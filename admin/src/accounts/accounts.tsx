import Button from '@mui/material/Button';
import type { ReactNode } from 'react';
import { LinkBase, useGetOne, useNavigate, useParams } from 'react-admin';
import type { AccountRecord } from '../api/account-records.ts';
import { mutations } from '../api/mutations.ts';
import { instant } from '../format.ts';
import type { MessageKey } from '../i18n/vi.ts';
import { useSay, type Say } from '../i18n/words.ts';
import { RecordList } from '../lists/record-list.tsx';
import type { ListScreen } from '../lists/screen.ts';
import { Refusal } from '../parts/refusal.tsx';
import { wholeRecord } from '../parts/use-hub.ts';
import { useMayChange, usePrincipal } from '../parts/use-principal.ts';
import { AskedActs, type Act } from './asked-act.tsx';
import { accountRoles } from './roles.ts';
import { Told } from './told.tsx';

export function roleWord(say: Say, role: string): string {
  return say(`role.${role}` as MessageKey);
}

function stateWord(say: Say, { disabledAt, mustChangePassword }: AccountRecord): string {
  if (disabledAt !== null) return say('accounts.disabledSince', { at: instant(disabledAt) });
  return say(mustChangePassword ? 'accounts.firstPassword' : 'accounts.open');
}

const screen: ListScreen<AccountRecord> = {
  resource: 'accounts',
  create: 'account:write',
  tabs: ['units', 'accounts', 'clients', 'queues', 'settings', 'audit'],
  address: ({ id }) => `/accounts/${id}/show`,
  text: {
    label: 'accounts.search',
    ask: (typed) => (typed.trim().length < 2 ? null : { text: typed.trim() }),
  },
  choices: [
    { key: 'unit', label: 'filter.unit', kind: 'unit' },
    { key: 'role', label: 'accounts.role', kind: 'enum', options: accountRoles },
    {
      key: 'disabled',
      label: 'column.state',
      kind: 'enum',
      options: [
        { value: 'no', label: 'accounts.open' },
        { value: 'yes', label: 'accounts.disabled' },
      ],
    },
  ],
  columns: [
    { key: 'login', label: 'accounts.login', size: 'code', text: ({ login }) => login },
    { key: 'name', label: 'accounts.name', size: 'name', text: ({ name }) => name },
    { key: 'role', label: 'accounts.role', text: ({ role }, { say }) => roleWord(say, role) },
    { key: 'unit', label: 'column.unit', size: 'long', text: ({ orgUnit }) => orgUnit?.name ?? '' },
    { key: 'state', label: 'column.state', size: 'phrase', text: (account, { say }) => stateWord(say, account) },
    {
      key: 'factor',
      label: 'accounts.secondFactor',
      size: 'short',
      text: ({ secondFactor }, { say }) => say(secondFactor ? 'accounts.yes' : 'accounts.no'),
    },
    { key: 'seen', label: 'accounts.lastSeen', size: 'instant', figures: true, text: ({ lastSeenAt }) => instant(lastSeenAt) },
    { key: 'email', label: 'accounts.email', size: 'long', spare: true, text: ({ email }) => email ?? '' },
  ],
};

export function AccountList(): ReactNode {
  return <RecordList screen={screen} />;
}

function actsOn({ disabledAt, secondFactor }: AccountRecord): readonly Act[] {
  const enabled = disabledAt === null;
  return [
    { mutation: mutations.ResetPassword, label: 'accounts.reset', ask: 'accounts.resetAsk' },
    ...(secondFactor
      ? [{ mutation: mutations.DropSecondFactor, label: 'accounts.dropFactor', ask: 'accounts.dropFactorAsk' } as const]
      : []),
    enabled
      ? { mutation: mutations.DisableAccount, label: 'accounts.disable', ask: 'accounts.disableAsk' }
      : { mutation: mutations.EnableAccount, label: 'accounts.enable', ask: null },
  ];
}

/** One account: who, where, since when; and what may be done to it. One's own is changed by somebody else. */
export function AccountPage(): ReactNode {
  const say = useSay();
  const change = useMayChange()('account:write');
  const principal = usePrincipal();
  const navigate = useNavigate();
  const { id = '' } = useParams();
  const { data: account, error, refetch } = useGetOne<AccountRecord>('accounts', { id, meta: wholeRecord });
  return (
    <div className="page record">
      <p className="trail">
        <LinkBase to="/accounts">{say('title.accounts')}</LinkBase>
      </p>
      {error !== null ? <h1>{say('title.accounts')}</h1> : null}
      {error !== null ? (
        <Refusal error={error} again={() => void refetch()} />
      ) : account === undefined ? (
        <div className="block skeleton-block" aria-busy="true" />
      ) : (
        <>
          <div className="title-line">
            <h1>{account.name}</h1>
            {change ? (
              <div className="acts">
                <Button size="small" variant="outlined" onClick={() => navigate(`/accounts/${id}`)}>
                  {say('form.edit')}
                </Button>
                {principal?.id === id ? null : <AskedActs subject={account} acts={actsOn(account)} />}
              </div>
            ) : null}
          </div>
          <Told id={id} what="accounts.passwordIs" />
          <section className="block" aria-label={say('record.facts')}>
            <dl className="facts">
              <Fact label="accounts.login">{account.login}</Fact>
              <Fact label="accounts.role">{roleWord(say, account.role)}</Fact>
              <Fact label="column.unit">
                {account.orgUnit === null ? (
                  '–'
                ) : (
                  <LinkBase to={`/units/${account.orgUnit.id}/show`}>{account.orgUnit.name ?? account.orgUnit.id}</LinkBase>
                )}
              </Fact>
              <Fact label="column.state">{stateWord(say, account)}</Fact>
              <Fact label="accounts.email">{account.email ?? '–'}</Fact>
              <Fact label="accounts.secondFactor">{say(account.secondFactor ? 'accounts.yes' : 'accounts.no')}</Fact>
              <Fact label="accounts.lastSeen">{instant(account.lastSeenAt) || '–'}</Fact>
              <Fact label="accounts.createdAt">{instant(account.createdAt)}</Fact>
            </dl>
          </section>
        </>
      )}
    </div>
  );
}

function Fact({ label, children }: { readonly label: MessageKey; readonly children: ReactNode }): ReactNode {
  const say = useSay();
  return (
    <div>
      <dt>{say(label)}</dt>
      <dd>{children}</dd>
    </div>
  );
}
