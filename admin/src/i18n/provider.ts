import polyglotI18nProvider from 'ra-i18n-polyglot';
import type { I18nProvider, TranslationMessages } from 'react-admin';
import { language, prefer } from '../shell/preferences.ts';
import { vi } from './vi.ts';
import { viFramework } from './vi-framework.ts';

const vietnamese = { ...viFramework, ...vi };

/** Vietnamese is at hand; English is fetched when it is wanted. */
async function dictionary(locale: string): Promise<TranslationMessages> {
  if (locale !== 'en') return vietnamese;
  const [{ en }, { enFramework }] = await Promise.all([import('./en.ts'), import('./en-framework.ts')]);
  return { ...enFramework, ...en };
}

export async function openI18n(): Promise<I18nProvider> {
  const start = language();
  const first = await dictionary(start);
  const provider = polyglotI18nProvider(
    (locale) => (locale === start ? first : dictionary(locale)),
    start,
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
