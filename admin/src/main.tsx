import createCache from '@emotion/cache';
import { CacheProvider } from '@emotion/react';
import '@fontsource/be-vietnam-pro/latin-400.css';
import '@fontsource/be-vietnam-pro/latin-500.css';
import '@fontsource/be-vietnam-pro/latin-600.css';
import '@fontsource/be-vietnam-pro/vietnamese-400.css';
import '@fontsource/be-vietnam-pro/vietnamese-500.css';
import '@fontsource/be-vietnam-pro/vietnamese-600.css';
import { createRoot } from 'react-dom/client';
import { returnToWhereOneWas } from './api/auth-provider.ts';
import { App } from './app.tsx';
import { openI18n } from './i18n/provider.ts';
import { language } from './shell/preferences.ts';
import './styles/base.css';
import './styles/shell.css';
import './styles/lists.css';
import './styles/record.css';
import './styles/forms.css';
import './styles/desk.css';
import './styles/print.css';

/** Browsers hide the attribute from scripts and keep the property. */
const nonce = document.querySelector<HTMLElement>('script[nonce]')?.nonce;
const styles = createCache({ key: 'lt', prepend: true, ...(nonce !== undefined && nonce !== '' && { nonce }) });

const root = document.getElementById('root');
if (root === null) throw new Error('The page has no place for the admin.');
document.documentElement.lang = language();
returnToWhereOneWas();
const i18n = await openI18n();
createRoot(root).render(
  <CacheProvider value={styles}>
    <App i18n={i18n} />
  </CacheProvider>,
);
