import { randomUUIDv7 } from 'node:crypto';
import { LockMode } from '@mikro-orm/postgresql';
import type { AuditAction } from '#kernel/audit/actions.ts';
import type { Caller } from '#kernel/auth/principal.ts';
import type { Change, Changes, Refusal } from '#kernel/db/change.ts';
import type { Parsed } from '#kernel/domain/brand.ts';
import { parseFacilityCode } from '#kernel/domain/facility-code.ts';
import { isUuid } from '#kernel/domain/ids.ts';
import {
  issuerOf,
  parseBhxhNumber,
  parseInsuranceCardNumber,
  type BhxhNumberReason,
  type CardIssuer,
  type CardNumberReason,
  type InsuranceCardNumber,
} from '#kernel/domain/insurance-card-number.ts';
import { parsePlainDay } from '#kernel/domain/plain-date.ts';
import { refusal, valueOf } from '#kernel/errors/hub-error.ts';
import { announce, historyRow } from '#kernel/records/remember.ts';
import { holderById } from '#kernel/records/holder.ts';
import { changeToUndo, refuseBuiltUpon, undoing, valuesBefore, type UndoChange } from '#kernel/records/undo.ts';
import { knownWord, parseReason, parseWritten, stated } from '#kernel/records/stated.ts';
import type { Result } from '#kernel/result.ts';
import { CardChange, InsuranceCard, type CardStatus } from './card.entity.ts';

/*
 * What clerks change in cards. A card belongs to a citizen whom the caller sees; a card whose number or days are changed by hand is
 * confirmed no more; a withdrawn one stays as it is.
 */

interface CardInput {
  readonly number?: string | null;
  readonly validFrom?: string | null;
  readonly validTo?: string | null;
  readonly registeredFacility?: string | null;
  readonly issuer?: CardIssuer | null;
  readonly holderName?: string | null;
  readonly trueFrom?: string | null;
}
export interface CreateCard extends CardInput {
  readonly citizenId: string;
}
export interface UpdateCard extends CardInput {
  readonly id: string;
  readonly version: number;
}
export interface WithdrawCard {
  readonly id: string;
  readonly version: number;
  readonly reason: string;
  readonly trueFrom?: string | null;
}

/** Id of the card that was changed. */
export type ChangedCard = Result<{ readonly insuranceCard: string }, Refusal>;

const shownFields = ['number', 'validFrom', 'validTo', 'registeredFacility', 'issuer', 'holderName'] as const;
type ShownField = (typeof shownFields)[number];
type Side = Record<string, string | null>;

/** What the portal confirms; by another value of these a card is only stated again. */
const confirmedFields: readonly ShownField[] = ['number', 'validFrom', 'validTo'];

const changeTable = { table: 'insurance.change', record: 'record_id', unitColumns: ['unit_no'] } as const;

export class CardChanges {
  readonly #changes: Changes;

  constructor(changes: Changes) {
    this.#changes = changes;
  }

  create(caller: Caller, input: CreateCard): Promise<ChangedCard> {
    return this.#changes.mutate({ caller, operation: 'createInsuranceCard', permission: 'card:write', input }, async (change) => {
      const values = statedValues(input);
      const { number } = values;
      if (typeof number !== 'string') throw refusal('FIELD_REQUIRED', { field: 'number' });
      const { citizenId, unitNo } = await holderById(change, 'insurance', input.citizenId);
      const card = change.em.create(InsuranceCard, {
        id: randomUUIDv7(),
        citizenId,
        unitNo,
        number,
        bhxhNumber: number.slice(-10),
      });
      const after: Side = { ...write(card, values).after, number };
      await refuseTwin(change, card);
      await change.em.flush();
      await keepWork(change, card, []);
      remember(change, card, input.trueFrom, 'card.created', null, { ...after, status: card.status });
      return { insuranceCard: card.id };
    });
  }

  update(caller: Caller, input: UpdateCard): Promise<ChangedCard> {
    return this.#changes.mutate({ caller, operation: 'updateInsuranceCard', permission: 'card:write', input }, async (change) => {
      const card = await found(change, input);
      const numberBefore = card.bhxhNumber;
      const { before, after } = write(card, statedValues(input, card));
      if (Object.keys(after).length === 0) return { insuranceCard: card.id };
      if (card.status === 'ACTIVE' && confirmedFields.some((field) => field in after)) {
        before.status = card.status;
        after.status = card.status = 'UNVERIFIED';
      }
      // Before the next statement, which flushes what was changed: one change is one version.
      card.updatedAt = change.now;
      await refuseTwin(change, card);
      await change.em.flush();
      await keepWork(change, card, [numberBefore]);
      remember(change, card, input.trueFrom, 'card.changed', before, after);
      return { insuranceCard: card.id };
    });
  }

  withdraw(caller: Caller, input: WithdrawCard): Promise<ChangedCard> {
    return this.#changes.mutate(
      { caller, operation: 'withdrawInsuranceCard', permission: 'card:write', input },
      async (change) => {
        const card = await found(change, input);
        const reason = valueOf(parseReason(input.reason), 'reason');
        const before = { status: card.status };
        card.status = 'WITHDRAWN';
        card.updatedAt = change.now;
        await change.em.flush();
        await keepWork(change, card, []);
        remember(change, card, input.trueFrom, 'card.withdrawn', before, { status: card.status, reason });
        return { insuranceCard: card.id };
      },
    );
  }

  /** What a change wrote is put back where nothing newer stands on it; a withdrawal is taken back in the same way. */
  undo(caller: Caller, input: UndoChange): Promise<ChangedCard> {
    return this.#changes.mutate(
      { caller, operation: 'undoInsuranceCardChange', permission: 'card:write', input },
      async (change) => {
        const past = await changeToUndo(change, changeTable, input.changeId);
        const card = await found(change, { id: past.recordId, version: input.version }, { withdrawn: true });
        await refuseBuiltUpon(change, changeTable, past);
        const values = valuesBefore(past, [...shownFields, 'status']);
        if (card.status === 'WITHDRAWN' && values.status === undefined) throw refusal('RECORD_WITHDRAWN', { field: 'changeId' });
        const numberBefore = card.bhxhNumber;
        const { before, after } = write(card, values);
        if (typeof values.status === 'string') {
          before.status = card.status;
          after.status = card.status = values.status as CardStatus;
        }
        const { validFrom = null, validTo = null } = card;
        if (validFrom !== null && validTo !== null && validTo < validFrom) throw refusal('PERIOD_ORDER', { field: 'changeId' });
        card.updatedAt = change.now;
        await refuseTwin(change, card);
        await change.em.flush();
        await keepWork(change, card, [numberBefore]);
        remember({ ...change, by: undoing(change, past) }, card, null, 'card.changed', before, after);
        return { insuranceCard: card.id };
      },
    );
  }
}

/** Questions that the cards of this citizen ask: cards that overlap, a number of two people (migration 0002-card-work). */
async function keepWork(change: Change, { citizenId }: InsuranceCard, numbersBefore: readonly string[]): Promise<void> {
  if (citizenId === null || citizenId === undefined) return;
  await change.transaction.query('select insurance.keep_card_work(array[$1]::uuid[], $2::text[])', [citizenId, numbersBefore]);
}

async function found(
  change: Change,
  input: { readonly id: string; readonly version: number },
  { withdrawn = false }: { readonly withdrawn?: boolean } = {},
): Promise<InsuranceCard> {
  const id = input.id.toLowerCase();
  const card = isUuid(id) ? await change.em.findOne(InsuranceCard, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE }) : null;
  if (card === null) throw refusal('RECORD_UNKNOWN', { field: 'id' });
  if (card.version !== input.version) throw refusal('VERSION_STALE', { field: 'version' });
  if (card.status === 'WITHDRAWN' && !withdrawn) throw refusal('RECORD_WITHDRAWN', { field: 'id' });
  return card;
}

/** A second card of one person with equal number and first day is the first one. Those who add cards to one person take turns. */
async function refuseTwin(change: Change, card: InsuranceCard): Promise<void> {
  if (card.citizenId === null || card.citizenId === undefined) return;
  await change.transaction.query(`select pg_advisory_xact_lock(hashtextextended('insurance.cards ' || $1, 22))`, [
    card.citizenId,
  ]);
  const twins = await change.transaction.query(
    `select from insurance.card where citizen_id = $1 and number = $2 and valid_from is not distinct from $3::date and status <> 'WITHDRAWN' and id <> $4`,
    [card.citizenId, card.number, card.validFrom ?? null, card.id],
  );
  if (twins.length > 0) throw refusal('CARD_KNOWN', { field: 'number' });
}

type StatedValues = Readonly<Partial<Record<ShownField, string | null>>>;

function statedValues(input: CardInput, card: InsuranceCard | null = null): StatedValues {
  const issuer = input.issuer === undefined ? (card?.issuer ?? null) : input.issuer;
  // A number that is changed alone tells its issuer anew.
  const rule = input.number !== undefined && input.issuer === undefined ? null : issuer;
  const values = {
    ...stated('number', input.number, (text) => parseNumber(text, rule)),
    ...stated('validFrom', input.validFrom, parsePlainDay),
    ...stated('validTo', input.validTo, parsePlainDay),
    ...stated('registeredFacility', input.registeredFacility, parseFacilityCode),
    ...stated('issuer', input.issuer, knownWord<CardIssuer>),
    ...stated('holderName', input.holderName, parseWritten),
  };
  if (values.number === null) throw refusal('FIELD_REQUIRED', { field: 'number' });
  const from = values.validFrom === undefined ? (card?.validFrom ?? null) : values.validFrom;
  const to = values.validTo === undefined ? (card?.validTo ?? null) : values.validTo;
  if (from !== null && to !== null && to < from) throw refusal('PERIOD_ORDER', { field: 'validTo' });
  const number = values.number ?? card?.number ?? '';
  const told = number.length === 15 ? issuerOf(number as InsuranceCardNumber) : null;
  if (told !== null && typeof values.issuer === 'string' && values.issuer !== told)
    throw refusal('CARD_ISSUER', { field: 'issuer' });
  return { ...values, ...(values.number !== undefined && input.issuer === undefined && { issuer: told }) };
}

function parseNumber(text: string, issuer: CardIssuer | null): Parsed<string, BhxhNumberReason | CardNumberReason> {
  return /^[\s\d-]+$/.test(text) ? parseBhxhNumber(text) : parseInsuranceCardNumber(text, { issuer });
}

function write(card: InsuranceCard, values: StatedValues): { readonly before: Side; readonly after: Side } {
  const before: Side = {};
  const after: Side = {};
  for (const field of shownFields) {
    const value = values[field];
    const old = card[field] ?? null;
    if (value === undefined || value === old) continue;
    before[field] = old;
    after[field] = value;
    if (field === 'number') {
      card.number = value ?? '';
      card.bhxhNumber = card.number.slice(-10);
    } else if (field === 'issuer') card.issuer = value as CardIssuer | null;
    else card[field] = value;
  }
  return { before, after };
}

const told = { event: 'CARD', type: 'InsuranceCard', said: 'reason' } as const;

/** History, audit and message of one change. */
function remember(
  change: Change,
  card: InsuranceCard,
  trueFrom: string | null | undefined,
  action: AuditAction,
  before: Side | null,
  after: Side,
): void {
  const remembered = { record: card, trueFrom, action, before, after };
  change.em.create(CardChange, { ...historyRow(change, remembered), unitNo: card.unitNo });
  announce(change, told, remembered);
}
