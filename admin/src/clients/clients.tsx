import type { ReactNode } from 'react';
import type { ClientRecord } from '../api/account-records.ts';
import { mutations } from '../api/mutations.ts';
import { AskedActs } from '../accounts/asked-act.tsx';
import { roleWord } from '../accounts/accounts.tsx';
import { Told } from '../accounts/told.tsx';
import { amount, instant } from '../format.ts';
import { useSay } from '../i18n/words.ts';
import { RecordList } from '../lists/record-list.tsx';
import type { ListScreen } from '../lists/screen.ts';
import { useMayChange } from '../parts/use-principal.ts';

const screen: ListScreen<ClientRecord> = {
  resource: 'clients',
  tabs: ['units', 'accounts', 'clients', 'queues', 'settings', 'audit'],
  choices: [],
  columns: [
    { key: 'id', label: 'accounts.clientId', size: 'code', text: ({ id }) => id },
    { key: 'name', label: 'accounts.clientName', size: 'name', text: ({ name }) => name },
    { key: 'role', label: 'accounts.role', text: ({ role }, { say }) => roleWord(say, role) },
    { key: 'unit', label: 'column.unit', size: 'long', text: ({ orgUnit }) => orgUnit?.name ?? '' },
    { key: 'points', label: 'accounts.points', figures: true, text: ({ pointsPerMinute }) => amount(pointsPerMinute) },
    {
      key: 'state',
      label: 'column.state',
      size: 'marks',
      text: ({ revokedAt }, { say }) =>
        revokedAt === null ? say('accounts.open') : say('accounts.revokedSince', { at: instant(revokedAt) }),
      cell: (client, { say }) =>
        client.revokedAt === null ? (
          <ClientState client={client} />
        ) : (
          say('accounts.revokedSince', { at: instant(client.revokedAt) })
        ),
    },
    { key: 'purpose', label: 'column.purpose', spare: true, text: ({ defaultPurpose }) => defaultPurpose ?? '' },
    { key: 'createdAt', label: 'accounts.createdAt', size: 'instant', spare: true, text: ({ createdAt }) => instant(createdAt) },
  ],
};

export function ClientList(): ReactNode {
  return <RecordList screen={screen} />;
}

function ClientState({ client }: { readonly client: ClientRecord }): ReactNode {
  const say = useSay();
  const may = useMayChange()('client:write');
  return (
    <>
      {say('accounts.open')}
      {may ? (
        <AskedActs
          subject={client}
          acts={[
            { mutation: mutations.RotateClientSecret, label: 'accounts.rotate', ask: 'accounts.rotateAsk' },
            { mutation: mutations.RevokeClient, label: 'accounts.revoke', ask: 'accounts.revokeAsk' },
          ]}
        />
      ) : null}
      <Told id={client.id} what="accounts.secretIs" />
    </>
  );
}
