import { useId, type ReactNode } from 'react';
import { useSay } from '../i18n/words.ts';
import { flatUnits, useUnits } from '../lists/units.ts';
import type { FormField } from './form-spec.ts';
import { PersonChoice } from './person-choice.tsx';

interface FormFieldLineProps {
  readonly field: FormField;
  readonly value: string;
  /** What stood there before it was typed into; null: unchanged. */
  readonly before: string | null;
  /** Why it was refused, in words. */
  readonly wrong: string | null;
  readonly onChange: (text: string) => void;
}

/** The words that a value of the field is shown with. */
export function useFieldWords(): (field: FormField, value: string) => string {
  const say = useSay();
  const units = flatUnits(useUnits());
  return ({ kind, options }, value) => {
    if (value === '') return say('history.nothing');
    if (kind === 'unit') return units.find(({ id }) => id === value)?.name ?? value;
    const option = options?.find((one) => one.value === value);
    return option === undefined ? value : say(option.label);
  };
}

/** One field: label, what one types, the rule, what was before, and why it was refused; all of it said to those who do not see it. */
export function FormFieldLine({ field, value, before, wrong, onChange }: FormFieldLineProps): ReactNode {
  const say = useSay();
  const id = useId();
  const words = useFieldWords();
  const { rule, required, wide } = field;
  const told = [
    rule === undefined || before !== null ? null : `${id}rule`,
    before === null ? null : `${id}before`,
    wrong === null ? null : `${id}wrong`,
  ];
  const control = {
    id,
    name: field.key,
    value,
    required: required === true,
    'aria-invalid': wrong !== null,
    'aria-describedby': told.filter((one) => one !== null).join(' ') || undefined,
  };
  return (
    <div className={['field', wide === true ? 'wide' : '', before === null ? '' : 'changed-field'].join(' ').trim()}>
      <label htmlFor={id}>
        {say(field.label)}
        {required === true ? <span className="quiet"> · {say('form.needed')}</span> : null}
      </label>
      <Control field={field} control={control} value={value} onChange={onChange} />
      {wrong === null ? null : (
        <p id={`${id}wrong`} className="wrong" role="alert">
          {wrong}
        </p>
      )}
      {before === null || field.kind === 'person' ? null : (
        <p id={`${id}before`} className="small">
          {say('form.before', { value: words(field, before) })}
        </p>
      )}
      {/* In place of the rule, so that nothing moves while one types. */}
      {rule === undefined || (before !== null && wrong === null) ? null : (
        <p id={`${id}rule`} className="small">
          {say(rule)}
        </p>
      )}
    </div>
  );
}

interface ControlProps {
  readonly field: FormField;
  readonly control: {
    readonly id: string;
    readonly name: string;
    readonly value: string;
    readonly required: boolean;
    readonly 'aria-invalid': boolean;
    readonly 'aria-describedby': string | undefined;
  };
  readonly value: string;
  readonly onChange: (text: string) => void;
}

function Control({ field, control, value, onChange }: ControlProps): ReactNode {
  const say = useSay();
  const units = flatUnits(useUnits());
  switch (field.kind) {
    case 'long':
      return <textarea {...control} rows={3} maxLength={500} onChange={(event) => onChange(event.target.value)} />;
    case 'choice':
      return (
        <select {...control} onChange={(event) => onChange(event.target.value)}>
          {field.required === true && value !== '' ? null : (
            <option value="">{say(field.required === true ? 'form.choose' : 'form.unstated')}</option>
          )}
          {field.options?.map((option) => (
            <option key={option.value} value={option.value}>
              {say(option.label)}
            </option>
          ))}
        </select>
      );
    case 'unit':
      return (
        <select {...control} onChange={(event) => onChange(event.target.value)}>
          {value === '' ? <option value="">{say('form.chooseUnit')}</option> : null}
          {units.map((unit) => (
            <option key={unit.id} value={unit.id} disabled={unit.level === 'FACILITY'}>
              {'\u2003'.repeat(unit.depth)}
              {unit.name}
            </option>
          ))}
        </select>
      );
    case 'person':
      return <PersonChoice id={control.id} value={value} told={control['aria-describedby']} onChange={onChange} />;
    case 'day':
    case 'text':
      return (
        <input
          {...control}
          type="text"
          autoComplete="off"
          spellCheck={false}
          inputMode={field.figures === true ? 'numeric' : undefined}
          className={field.figures === true ? 'figures' : undefined}
          placeholder={field.kind === 'day' ? say('list.dayForm') : undefined}
          onChange={(event) => onChange(event.target.value)}
        />
      );
  }
}
