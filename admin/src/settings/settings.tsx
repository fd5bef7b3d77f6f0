import type { ReactNode } from 'react';
import type { SettingInForce } from '../api/records.ts';
import { useSay, word, type Say } from '../i18n/words.ts';
import { Refusal } from '../parts/refusal.tsx';
import { Tabs } from '../parts/tabs.tsx';
import { useAsk } from '../parts/use-hub.ts';

/** What the hub was told at its start, to look at: it is changed where it is started. */
export function Settings(): ReactNode {
  const say = useSay();
  const { data, error, refetch } = useAsk(['settings'], (hub, asked) => hub.settings(asked));
  const given = data?.filter(({ origin }) => origin !== 'DEFAULT') ?? [];
  const standard = data?.filter(({ origin }) => origin === 'DEFAULT') ?? [];
  return (
    <div className="page">
      <Tabs resources={['units', 'accounts', 'clients', 'queues', 'settings', 'audit']} />
      <h1>{say('title.settings')}</h1>
      <p className="quiet">{say('setting.note')}</p>
      {error !== null ? <Refusal error={error} again={() => void refetch()} /> : null}
      {data === undefined && error === null ? <div className="block skeleton-block" aria-busy="true" /> : null}
      {data === undefined || data === null ? null : (
        <>
          <h2>{say('setting.given', { count: given.length })}</h2>
          <SettingRows settings={given} say={say} />
          <h2>{say('setting.standard', { count: standard.length })}</h2>
          <SettingRows settings={standard} say={say} />
        </>
      )}
    </div>
  );
}

function SettingRows({ settings, say }: { readonly settings: readonly SettingInForce[]; readonly say: Say }): ReactNode {
  return (
    <table className="rows settings" role="table">
      <thead role="rowgroup">
        <tr role="row">
          {(['name', 'value', 'origin'] as const).map((key) => (
            <th key={key} role="columnheader" scope="col">
              {say(`setting.${key}`)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {settings.map((setting) => (
          <tr key={setting.name} role="row">
            <td role="cell" data-label={say('setting.name')}>
              <div>
                <code>{setting.name}</code>
                <p className="small">{setting.meaning.replaceAll('`', '')}</p>
              </div>
            </td>
            <td role="cell" data-label={say('setting.value')}>
              {shown(setting, say)}
            </td>
            <td role="cell" data-label={say('setting.origin')}>
              {word(say, 'settingOrigin', setting.origin)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function shown({ secret, value, origin }: SettingInForce, say: Say): ReactNode {
  if (secret) return <em>{say(origin === 'DEFAULT' ? 'setting.secretUnset' : 'setting.secretSet')}</em>;
  if (value === null) return origin === 'DEFAULT' ? say('setting.secretUnset') : '–';
  return value;
}
