import { useState, type ReactNode } from 'react';
import { day } from '../format.ts';
import { useSay } from '../i18n/words.ts';
import { isoDayOf } from './day.ts';

interface DayInputProps {
  readonly id: string;
  /** ISO day, or empty. */
  readonly value: string;
  readonly onChange: (iso: string) => void;
}

/** A day as it is written here. The browser's own field would write it in the language of the browser, whatever the page's is. */
export function DayInput({ id, value, onChange }: DayInputProps): ReactNode {
  const say = useSay();
  const [typed, setTyped] = useState<string | null>(null);
  const shown = typed ?? day(value);
  const wrong = typed !== null && typed.trim() !== '' && isoDayOf(typed) === null;
  return (
    <input
      id={id}
      type="text"
      inputMode="numeric"
      autoComplete="off"
      className="day-input"
      placeholder={say('list.dayForm')}
      value={shown}
      aria-invalid={wrong}
      title={wrong ? say('list.dayWrong') : undefined}
      onChange={(event) => {
        setTyped(event.target.value);
        const iso = isoDayOf(event.target.value);
        if (iso !== null) onChange(iso);
        else if (event.target.value.trim() === '') onChange('');
      }}
      onBlur={() => {
        if (!wrong) setTyped(null);
      }}
    />
  );
}
