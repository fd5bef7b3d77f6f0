import type { CitizenField } from '#kernel/domain/citizen-field.ts';
import { inClear } from '#kernel/auth/policy.ts';
import type { Caller } from '#kernel/auth/principal.ts';
import type { MaskedField } from '#kernel/auth/purposes.ts';
import type { KeyedRead } from '#kernel/db/read-door.ts';
import { maskSql } from '#kernel/domain/masking.ts';
import { inScope, ofBasis, unitsInScope, type Walk } from './citizen-reads.ts';

export const discrepancyKinds = [
  'DIFFERENT',
  'ONLY_THEIRS',
  'ONLY_OURS',
  'UNKNOWN_PERSON',
  'TWO_HOLDERS',
  'INCONSISTENT',
] as const;
export type DiscrepancyKind = (typeof discrepancyKinds)[number];
export type FoundBy = 'RECONCILE' | 'IMPORT' | 'CARDS' | 'SLIPS' | 'CLERK';
export type WorkState = 'OPEN' | 'LEASED' | 'SETTLED' | 'WITHDRAWN';

export interface DiscrepancyRow {
  readonly id: string;
  readonly version: number;
  readonly citizenId: string;
  readonly unitNo: number;
  readonly field: CitizenField;
  readonly kind: DiscrepancyKind;
  readonly foundBy: FoundBy;
  readonly ours: string | null;
  readonly theirs: string | null;
  readonly state: WorkState;
  readonly raisedAt: string;
}

const maskedAs: Readonly<Partial<Record<CitizenField, Extract<MaskedField, 'personalId' | 'oldIdNumber' | 'phone' | 'email'>>>> =
  {
    PERSONAL_ID: 'personalId',
    OLD_ID_NUMBER: 'oldIdNumber',
    PHONE: 'phone',
    EMAIL: 'email',
  };

interface Shape {
  readonly name: string;
  readonly columns: string;
}

/** Columns for a caller: values masked like the fields they belong to; the other side's value for operators alone, until it is settled. */
function shapeFor(caller: Caller): Shape {
  const operator = caller.principal.kind !== 'CLIENT';
  const hidden = Object.entries(maskedAs).filter(([, masked]) => !inClear(caller, masked));
  const value = (column: string): string => {
    if (hidden.length === 0) return column;
    return `case d.field ${hidden.map(([field, masked]) => `when '${field}' then ${maskSql(masked, column)}`).join(' ')} else ${column} end`;
  };
  return {
    name: `${operator ? 'operator' : 'client'}.${hidden.map(([field]) => field).join('-')}`,
    columns: `d.id, d.version, d.citizen_id as "citizenId", d.unit_no as "unitNo", d.field, d.kind, d.found_by as "foundBy",
      ${value('d.ours')} as ours, ${operator ? `case when d.state in ('OPEN','LEASED') then ${value('d.theirs')} end` : 'null::text'} as theirs, d.state, d.raised_at as "raisedAt"`,
  };
}

/**
 * An item whose person the caller may not see is not his either: while a person moves, the item follows in the same transaction. A
 * value instead of `exists`, which the planner would turn into a join with the whole table.
 */
const personInScope = `coalesce((select true from citizens.citizen c where c.id = d.citizen_id and ${inScope('c')}), false)`;

export function discrepanciesById(caller: Caller): KeyedRead<DiscrepancyRow> {
  const { name, columns } = shapeFor(caller);
  return {
    name: `discrepancies.by-id.${name}`,
    text: `select d.id as key, ${columns} from citizens.discrepancy d
      where d.id = any($2::uuid[]) and ${inScope('d')} and ${ofBasis('d.citizen_id', '$3')} and ${personInScope}`,
  };
}

/** What is not settled, of each citizen, by id. */
export function openDiscrepanciesOf(caller: Caller): KeyedRead<DiscrepancyRow> {
  const { name, columns } = shapeFor(caller);
  return {
    name: `discrepancies.of-citizen.${name}`,
    text: `select d.citizen_id as key, ${columns} from citizens.discrepancy d
      where d.citizen_id = any($2::uuid[]) and d.state in ('OPEN','LEASED') and ${inScope('d')} and ${ofBasis('d.citizen_id', '$3')}
      order by d.citizen_id, d.id`,
  };
}

export interface DiscrepancyQuestion {
  readonly filter: {
    readonly state: WorkState;
    readonly kind: DiscrepancyKind | null;
    readonly field: CitizenField | null;
    readonly foundBy: FoundBy | null;
    readonly citizen: string | null;
  };
  readonly after: string | null;
  readonly limit: number;
  readonly walk: Walk;
  /** A legal basis for one person. */
  readonly basis: string | null;
}

interface Statement {
  readonly name: string;
  readonly text: string;
  readonly values: readonly unknown[];
}

/** Conditions on `d` and their values from `$2` on; the words of the graph's enums stand in the text, so that indexes fit them. */
function conditions({ filter, after, basis }: DiscrepancyQuestion): {
  readonly text: string;
  readonly values: unknown[];
  readonly name: string;
} {
  const values: unknown[] = [];
  const value = (of: unknown): string => {
    values.push(of);
    return `$${String(values.length + 1)}::uuid`;
  };
  const words = Object.entries({ state: filter.state, kind: filter.kind, field: filter.field, found_by: filter.foundBy }).filter(
    (entry): entry is [string, NonNullable<(typeof entry)[1]>] => entry[1] !== null,
  );
  const all = words.map(([column, word]) => `d.${column} = '${word}'`);
  if (filter.citizen !== null) all.push(`d.citizen_id = ${value(filter.citizen)}`);
  if (basis !== null) all.push(`d.citizen_id = ${value(basis)}`);
  if (after !== null) all.push(`d.id > ${value(after)}`);
  all.push(inScope('d'), personInScope);
  return { text: all.join(' and '), values, name: words.map(([, word]) => word).join('-') };
}

function walked(question: DiscrepancyQuestion, columns: string, where: string, limit: string): string {
  // The items of one person are few, whatever the scope.
  if (question.walk === 'whole' || question.filter.citizen !== null || question.basis !== null) {
    return `select ${columns} from citizens.discrepancy d where ${where} order by d.id limit ${limit}`;
  }
  return `select w.* from ${unitsInScope} cross join lateral (
      select ${columns} from citizens.discrepancy d where d.unit_no = u.no and ${where} order by d.id limit ${limit}) w
    order by w.id limit ${limit}`;
}

export function discrepancyPage(caller: Caller, question: DiscrepancyQuestion): Statement {
  const { text, values, name } = conditions(question);
  const { name: shape, columns } = shapeFor(caller);
  return {
    name: `discrepancies.${question.walk}.${name}.${shape}`,
    text: walked(question, columns, text, `$${String(values.length + 2)}::int`),
    values: [...values, question.limit],
  };
}

export function discrepancyCount(question: DiscrepancyQuestion): Statement {
  const { text, values, name } = conditions({ ...question, after: null });
  return {
    name: `discrepancies.count.${question.walk}.${name}`,
    text: `select count(*)::int as count from (${walked(question, 'd.id', text, '10001')}) n`,
    values,
  };
}
