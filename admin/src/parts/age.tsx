import type { ReactNode } from 'react';
import { ageOf, instant } from '../format.ts';
import { useSay, type Say } from '../i18n/words.ts';

export function ageWords(say: Say, iso: string): string {
  const { unit, value } = ageOf(iso, Date.now());
  return unit === 'today' ? say('age.today') : say(`age.${unit}`, { smart_count: value });
}

/** How long it has waited; the instant itself in the tip. */
export function AgeText({ at }: { readonly at: string }): ReactNode {
  const say = useSay();
  return (
    <time dateTime={at} title={instant(at)}>
      {ageWords(say, at)}
    </time>
  );
}
