import polyglotI18nProvider from 'ra-i18n-polyglot';
import type { I18nProvider } from 'react-admin';
import { language, prefer } from '../shell/preferences.ts';
import { vi } from './vi.ts';
import { viFramework } from './vi-framework.ts';

const vietnamese = { ...viFramework, ...vi };

/** Vietnamese is at hand; English is fetched when it is wanted. */
async function dictionary(locale: string): Promise<Record<string, unknown>> {
  if (locale !== 'en') return vietnamese;
  const [{ en }, { enFramework }] = await Promise.all([import('./en.ts'), import('./en-framework.ts')]);
  return { ...enFramework, ...en };
}

export async function openI18n(): Promise<I18nProvider> {
  const first = await dictionary(language());
  const provider = polyglotI18nProvider(
    (locale) => (locale === language() ? first : dictionary(locale)) as ReturnType<typeof Object>,
    language(),
    [
      { locale: 'vi', name: vi.account.vi },
      { locale: 'en', name: vi.account.en },
    ],
    { allowMissing: false },
  );
  return {
    ...provider,
    async changeLocale(locale) {
      prefer({ language: locale === 'en' ? 'en' : 'vi' });
      document.documentElement.lang = locale;
      await provider.changeLocale(locale);
    },
  };
}
