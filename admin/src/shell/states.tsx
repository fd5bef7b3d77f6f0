import Button from '@mui/material/Button';
import { Component, useEffect, type ReactNode } from 'react';
import { LinkBase } from 'react-admin';
import { authProvider } from '../api/auth-provider.ts';
import { useSay } from '../i18n/words.ts';

/** The screen's own size stays empty for a moment rather than turning a wheel. */
export function Loading(): ReactNode {
  const say = useSay();
  return (
    <div className="page" aria-busy="true">
      <p className="quiet-start">{say('app.loading')}</p>
    </div>
  );
}

export function GoingToLogIn(): ReactNode {
  const say = useSay();
  useEffect(() => {
    void authProvider.login({});
  }, []);
  return <p className="alone">{say('app.goingToLogIn')}</p>;
}

export function Denied(): ReactNode {
  const say = useSay();
  return (
    <div className="page">
      <h1>{say('error.denied')}</h1>
      <p>{say('error.deniedNext')}</p>
      <LinkBase to="/">{say('error.home')}</LinkBase>
    </div>
  );
}

export function NoPage(): ReactNode {
  const say = useSay();
  return (
    <div className="page">
      <h1>{say('error.noPage')}</h1>
      <LinkBase to="/">{say('error.home')}</LinkBase>
    </div>
  );
}

export function Crash(): ReactNode {
  const say = useSay();
  return (
    <div className="page" role="alert">
      <h1>{say('error.title')}</h1>
      <p>{say('error.crash')}</p>
      <Button variant="outlined" onClick={() => location.reload()}>
        {say('error.reload')}
      </Button>
    </div>
  );
}

interface GuardProps {
  readonly children: ReactNode;
}

/** A screen that fails takes only itself down: places, search and log-out stay. A new address begins anew (by its key). */
export class Guard extends Component<GuardProps, { readonly failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError(): { readonly failed: boolean } {
    return { failed: true };
  }

  override render(): ReactNode {
    return this.state.failed ? <Crash /> : this.props.children;
  }
}
