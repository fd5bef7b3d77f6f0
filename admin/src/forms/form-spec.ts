import type { HubDataProvider } from '../api/data-provider.ts';
import type { Permission } from '../api/rights.ts';
import type { RevealPurpose } from '../api/graph.ts';
import type { ResourceName } from '../api/resources.ts';
import type { MessageKey } from '../i18n/vi.ts';
import { isoDayOf } from '../parts/day.ts';
import { changedKeys, valueIn, type Draft, type Values } from './draft.ts';

/*
 * What a form is, for the one module that draws them all: which fields in which groups, what the record says, and which mutation is sent.
 * A field `a.b` is part b of the value a: parts travel together.
 */

export interface FormField {
  readonly key: string;
  readonly label: MessageKey;
  /** The rule, in words, below the field; where `form` does not fit, the same words say what is wrong. */
  readonly rule?: MessageKey;
  /** Written without blanks before it is compared. */
  readonly form?: RegExp;
  /** `text` one line; `long` several; `choice` of a closed list; `day` as it is written here; `unit` of the tree; `person` an id, found by name. */
  readonly kind: 'text' | 'long' | 'choice' | 'day' | 'unit' | 'person';
  readonly options?: readonly { readonly value: string; readonly label: MessageKey }[];
  readonly required?: boolean;
  readonly figures?: boolean;
  /** As long as a whole line. */
  readonly wide?: boolean;
  /** Says what the change is about, and is no change by itself. */
  readonly aside?: boolean;
}

export interface FormGroup {
  readonly title: MessageKey;
  readonly fields: readonly FormField[];
}

/** One thing that can be done to a record of a kind: create, update or withdraw it. */
export interface FormAct<Row> {
  readonly name: 'create' | 'update' | 'withdraw';
  readonly resource: ResourceName;
  readonly permission: Permission;
  readonly title: MessageKey;
  readonly verb: MessageKey;
  readonly done: MessageKey;
  readonly mutation: string;
  /** What the record is called in the way back. */
  nameOf(row: Row): string;
  groups(row: Row | null): readonly FormGroup[];
  /** The record as its fields show it; empty for what is asked only here. */
  read(row: Row): Values;
  /** Numbers in clear on a stated purpose, for the fields that are masked. */
  readonly reveal?: (hub: HubDataProvider, id: string, purpose: RevealPurpose) => Promise<Values>;
  /** Why this record cannot be changed so at all; null where it can. */
  readonly closed?: ((row: Row) => MessageKey | null) | undefined;
  /** What the person should know before it is sent. */
  readonly noteOf?: ((row: Row | null) => MessageKey | null) | undefined;
}

/** From when it is true in life: of every change of every kind. */
export const trueFrom: FormField = {
  key: 'trueFrom',
  label: 'form.trueFrom',
  kind: 'day',
  figures: true,
  rule: 'rule.trueFrom',
  aside: true,
};
export const withdrawReason: FormField = {
  key: 'reason',
  label: 'column.reason',
  kind: 'long',
  required: true,
  wide: true,
  rule: 'rule.reason',
};

/** Whose a new record is. */
export const holderOf: FormField = { key: 'citizenId', label: 'record.holder', kind: 'person', required: true, wide: true };

export type FormActs<Row> = Readonly<Record<'create' | 'update' | 'withdraw', FormAct<Row>>>;

interface RecordKind<Row> {
  readonly resource: ResourceName;
  readonly permission: Permission;
  readonly nameOf: (row: Row) => string;
  readonly titles: Readonly<Record<'create' | 'update' | 'withdraw', MessageKey>>;
  readonly mutations: Readonly<Record<'create' | 'update' | 'withdraw', string>>;
  /** Groups of a new record alone, before its facts. */
  readonly first: readonly FormGroup[];
  readonly title: MessageKey;
  readonly fields: (row: Row | null) => readonly FormField[];
  readonly read: (row: Row) => Values;
  readonly reveal?: FormAct<Row>['reveal'];
  readonly closed: (row: Row) => MessageKey | null;
  /** Where editing is closed earlier than withdrawing. */
  readonly closedUpdate?: (row: Row) => MessageKey | null;
  /** What the person should know before he changes it. */
  readonly noteOf?: (row: Row) => MessageKey | null;
  /** What withdrawing is called, and what it means, where it is no mistake taken back. */
  readonly withdrawVerb?: MessageKey;
  readonly withdrawNote?: MessageKey;
}

/** The three acts of a kind of record that is withdrawn when it was entered by mistake. */
export function recordActs<Row>(kind: RecordKind<Row>): FormActs<Row> {
  const { resource, permission, nameOf, titles, mutations, first, title, fields, read, reveal, closed, closedUpdate, noteOf } =
    kind;
  const shared = { resource, permission, nameOf } as const;
  const facts = (row: Row | null): FormGroup => ({ title, fields: [...fields(row), trueFrom] });
  return {
    create: {
      ...shared,
      name: 'create',
      title: titles.create,
      verb: 'form.create',
      done: 'form.done.created',
      mutation: mutations.create,
      groups: () => [...first, facts(null)],
      read: () => ({}),
    },
    update: {
      ...shared,
      name: 'update',
      title: titles.update,
      verb: 'form.save',
      done: 'form.done.saved',
      mutation: mutations.update,
      groups: (row) => [facts(row)],
      read,
      closed: closedUpdate ?? closed,
      noteOf: (row) => (row === null ? null : (noteOf?.(row) ?? null)),
      ...(reveal !== undefined && { reveal }),
    },
    withdraw: {
      ...shared,
      name: 'withdraw',
      title: titles.withdraw,
      verb: kind.withdrawVerb ?? 'form.withdraw',
      done: 'form.done.withdrawn',
      noteOf: () => kind.withdrawNote ?? 'form.note.withdrawMistake',
      mutation: mutations.withdraw,
      groups: () => [{ title: 'form.group.withdraw', fields: [withdrawReason, trueFrom] }],
      read: () => ({}),
      closed,
    },
  };
}

export const fieldsOf = (groups: readonly FormGroup[]): readonly FormField[] => groups.flatMap(({ fields }) => fields);

/** Local checks spare a way to the hub; what it says itself weighs more. */
export function wrongIn(field: FormField, text: string, changed: boolean): MessageKey | null {
  const value = text.trim();
  if (value === '') return field.required === true ? 'form.required' : null;
  if (!changed) return null;
  if (value.includes('•')) return 'form.masked';
  if (field.kind === 'day' && isoDayOf(value) === null) return 'list.dayWrong';
  return field.form !== undefined && field.rule !== undefined && !field.form.test(value.replace(/[\s.-]/g, ''))
    ? field.rule
    : null;
}

function sent(field: FormField, text: string): string | null {
  const value = text.trim();
  if (value === '') return null;
  return field.kind === 'day' ? (isoDayOf(value) ?? value) : value;
}

/**
 * The input of the mutation: of a change only what differs, so that a masked number that nobody touched is never sent back; erased
 * fields as null. Of a new record only what is stated.
 */
export function inputOf<Row>(act: FormAct<Row>, groups: readonly FormGroup[], draft: Draft): Record<string, unknown> {
  const changed = new Set(changedKeys(draft));
  const fields = fieldsOf(groups);
  const input: Record<string, unknown> = {};
  for (const field of fields) {
    const [whole = '', part] = field.key.split('.');
    if (part === undefined) {
      const value = sent(field, valueIn(draft, field.key));
      if (act.name === 'update' && field.aside !== true ? changed.has(field.key) : value !== null) input[field.key] = value;
      continue;
    }
    const parts = fields.filter(({ key }) => key.startsWith(`${whole}.`));
    const values = parts.map((one) => [one.key.slice(whole.length + 1), sent(one, valueIn(draft, one.key))] as const);
    const stated = values.filter(([, value]) => value !== null);
    if (act.name === 'update' ? parts.some(({ key }) => changed.has(key)) : stated.length > 0)
      input[whole] = stated.length === 0 ? null : Object.fromEntries(values);
  }
  return input;
}
