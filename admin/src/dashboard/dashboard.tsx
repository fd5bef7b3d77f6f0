import type { ReactNode } from 'react';
import { LinkBase } from 'react-admin';
import { useSay } from '../i18n/words.ts';
import { useMay } from '../parts/use-principal.ts';
import { FieldShares } from './field-shares.tsx';
import { ImportsSeen, RunsSeen } from './runs-seen.tsx';
import { Unfinished } from './unfinished.tsx';
import { Waiting } from './waiting.tsx';

/** What waits for me, first; then how the data of my unit stand. Every number leads to the list behind it. */
export function Dashboard(): ReactNode {
  const say = useSay();
  const may = useMay();
  return (
    <div className="page dashboard">
      <h1 className="unseen">{say('title.home')}</h1>
      <Unfinished />
      {may('work') ? <Waiting /> : null}
      {may('citizens') ? <FieldShares /> : null}
      <div className="halves">
        {may('runs') ? <RunsSeen /> : null}
        {may('imports') ? <ImportsSeen /> : null}
      </div>
      {may('audit') && !may('work') ? (
        <section className="block">
          <h2>
            <LinkBase to="/audit">{say('home.auditor')}</LinkBase>
          </h2>
          <p>{say('home.auditorNote')}</p>
        </section>
      ) : null}
    </div>
  );
}
