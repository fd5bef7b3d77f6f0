import type { Clock } from '#kernel/clock.ts';
import { isUuid } from '#kernel/domain/ids.ts';
import { parseBhxhNumber, parseInsuranceCardNumber, type CardIssuer } from '#kernel/domain/insurance-card-number.ts';
import { dayInVietnam, type PlainDay } from '#kernel/domain/plain-date.ts';
import { refusal } from '#kernel/errors/hub-error.ts';
import type { Asked } from '#kernel/graph/asked.ts';
import { dayArgument, instantArgument, isGiven } from '#kernel/records/arguments.ts';
import { citizenIs, type Condition, textBegins, textIs, wordIs } from '#kernel/records/conditions.ts';
import type { Change, RecordState } from '#kernel/records/history.ts';
import { KeyedLoader } from '#kernel/records/keyed-loader.ts';
import type { RecordPage } from '#kernel/records/record-page.ts';
import {
  Records,
  recordKind,
  type PageArguments,
  type RecordRow,
  type RecordSource,
  type Reference,
  type Soon,
} from '#kernel/records/records.ts';
import type { Call } from '#kernel/subgraph.ts';
import { inForceOn } from './card-interval.ts';

/** A card as the graph shows it; `number` is masked unless the caller sees numbers in clear. */
export interface Card extends RecordRow {
  readonly version: number;
  readonly number: string;
  readonly validFrom: string | null;
  readonly validTo: string | null;
  readonly status: string;
  readonly registeredFacility: string | null;
  readonly issuer: string | null;
  readonly holderName: string | null;
  readonly unitNo: number;
}

export interface CardFilter {
  readonly text?: string | null;
  readonly number?: string | null;
  readonly status?: string | null;
  readonly citizen?: string | null;
  readonly orgUnit?: string | null;
  readonly validOn?: unknown;
  readonly issuer?: CardIssuer | null;
}

const cards = recordKind<Card>({
  name: 'insurance.card',
  record: {
    table: 'insurance.card',
    replica: 'insurance.citizen',
    change: 'insurance.change',
    unitColumns: ['unit_no'],
    live: `c.status <> 'WITHDRAWN'`,
  },
  permission: 'card:read',
  action: 'card.read',
  masked: 'cardNumber',
  type: 'InsuranceCard',
  fields: {
    version: 'c.version',
    number: { masked: 'cardNumber', column: 'c.number' },
    validFrom: 'c.valid_from as "validFrom"',
    validTo: 'c.valid_to as "validTo"',
    status: 'c.status',
    registeredFacility: 'c.registered_facility as "registeredFacility"',
    issuer: 'c.issuer',
    holderName: 'c.holder_name as "holderName"',
    citizen: 'r.id as "citizenId"',
    orgUnit: 'c.unit_no as "unitNo"',
    history: null,
    asOf: null,
  },
  implied: {
    'Citizen.cardInForce': ['validFrom', 'validTo', 'status'],
    'Query.insuranceCard': ['validFrom', 'validTo', 'status'],
  },
  order: 'c.valid_from desc nulls last, c.id',
  most: 100,
  history: {
    number: 'cardNumber',
    validFrom: null,
    validTo: null,
    status: null,
    registeredFacility: null,
    issuer: null,
    holderName: null,
    reason: null,
  },
});

/** Beginnings of a number shorter than this would find half the province. */
const shortestText = 3;

/** What one caller may do to cards, in one operation. */
export class Insurance {
  readonly #clock: Clock;
  readonly #cards: Records<Card>;
  #day: { readonly at: unknown; readonly day: PlainDay } | null = null;

  constructor(source: RecordSource & { readonly clock: Clock }, call: Call) {
    this.#clock = source.clock;
    this.#cards = new Records<Card>(source, call, new KeyedLoader(source.door), cards);
  }

  asking(asked: Asked): this {
    this.#cards.asking(asked);
    return this;
  }

  /** A citizen in scope; his cards are there by then, since one read tells both. */
  citizen(citizenId: string): Soon<Reference | null> {
    return this.#cards.reference(citizenId, 'all');
  }

  cardsOf(citizenId: string): Soon<readonly Card[] | null> {
    return this.#cards.allOf(citizenId);
  }

  cardInForce(citizenId: string, at: unknown): Soon<Card | null> {
    const day = this.#dayOf(at);
    const chosen = (all: readonly Card[] | null): Card | null => (all === null ? null : inForceOn(all, day));
    const all = this.cardsOf(citizenId);
    return all instanceof Promise ? all.then(chosen) : chosen(all);
  }

  /** The calendar day in Vietnam; the same for all citizens of the operation unless they are asked about different instants. */
  #dayOf(at: unknown): PlainDay {
    if (this.#day === null || this.#day.at !== at) {
      this.#day = { at, day: dayInVietnam(instantArgument(at, 'at') ?? this.#clock.now()) };
    }
    return this.#day.day;
  }

  card(id: string): Promise<Card | null> {
    return this.#cards.find(id);
  }

  async cardByNumber(text: string): Promise<Card | null> {
    const { column, number } = wholeNumber(text, 'number');
    const all = await this.#cards.carrying(column, number);
    const today = dayInVietnam(this.#clock.now());
    const linked = all.filter((card) => card.ownerId !== null);
    const chosen = oneOf(linked.length > 0 ? linked : all, today);
    return chosen === null ? null : this.#cards.note(chosen);
  }

  async list(filter: CardFilter, args: PageArguments): Promise<RecordPage<Card>> {
    const { orgUnit, status } = filter;
    return this.#cards.list(filter, this.#conditions(filter), args, { withdrawn: isGiven(status), orgUnit: orgUnit ?? null });
  }

  citizenOf(card: Card): Promise<Reference | null> {
    return this.#cards.citizenOf(card);
  }

  history(card: Card, args: PageArguments): Promise<RecordPage<Change>> {
    return this.#cards.history(card, args);
  }

  asOf(card: Card, at: unknown): Promise<RecordState | null> {
    return this.#cards.asOf(card, at);
  }

  /** `null`: no card can fit. */
  #conditions(filter: CardFilter): readonly Condition[] | null {
    const { text, number, status, citizen, issuer } = filter;
    const validOn = dayArgument(filter.validOn, 'validOn');
    const conditions: Condition[] = [];
    if (isGiven(number)) {
      const whole = wholeNumber(number, 'number');
      conditions.push(textIs(whole.column, whole.number, { kind: 'few' }));
    }
    if (isGiven(text)) {
      const found = this.#byText(text);
      if (found === null) return null;
      conditions.push(found);
    }
    if (isGiven(citizen)) {
      if (!isUuid(citizen)) return null;
      conditions.push(citizenIs(citizen));
    }
    if (isGiven(status)) conditions.push(wordIs('status', status, { kind: 'ordered', column: 'status', whole: false }));
    if (isGiven(issuer)) conditions.push(wordIs('issuer', issuer));
    if (validOn !== null) {
      conditions.push({
        values: [validOn],
        index: null,
        sql: (parameter) =>
          `c.valid_from <= ${parameter(0)}::date and (c.valid_to is null or c.valid_to >= ${parameter(0)}::date)`,
      });
    }
    return conditions;
  }

  /** Who sees numbers masked may not feel his way along them digit by digit: for him only a whole number finds. */
  #byText(text: string): Condition | null {
    const start = compact(text);
    if (/^[0-9]{10}$/.test(start)) return textIs('bhxh_number', start, { kind: 'few' });
    if (/^[A-Z]{2}[0-9]{13}$/.test(start)) return textIs('number', start, { kind: 'few' });
    if (!this.#cards.clear || !/^[A-Z]{0,2}[0-9]*$/.test(start) || start.length < shortestText) return null;
    return textBegins(/^[0-9]/.test(start) ? 'bhxh_number' : 'number', start);
  }
}

function compact(text: string): string {
  return text.replace(/[\s-]/g, '').toUpperCase();
}

/** 15 characters or the 10 digits of the BHXH number. A code that we do not know may still stand on a card that the portal confirmed. */
function wholeNumber(text: string, field: string): { readonly column: 'number' | 'bhxh_number'; readonly number: string } {
  const short = compact(text).length === 10 || /^[0-9]+$/.test(compact(text));
  const parsed = short ? parseBhxhNumber(text) : parseInsuranceCardNumber(text, { confirmedByPortal: true });
  if (parsed.ok) return { column: short ? 'bhxh_number' : 'number', number: parsed.value };
  throw refusal(parsed.reason, { field });
}

/** Of cards with one number: the one in force, else the newest. Two people with equal claims are for a person to decide. */
function oneOf(all: readonly Card[], today: PlainDay): Card | null {
  const holders = new Map<string, Card[]>();
  for (const card of all) {
    const holder = card.ownerId ?? card.id;
    holders.set(holder, [...(holders.get(holder) ?? []), card]);
  }
  const best = [...holders.values()].map((own) => ({ inForce: inForceOn(own, today), newest: newest(own) }));
  if (best.length <= 1) return best[0]?.inForce ?? best[0]?.newest ?? null;
  const [one, ...others] = best.flatMap(({ inForce }) => (inForce === null ? [] : [inForce]));
  if (one !== undefined && others.length === 0) return one;
  throw refusal('CARD_TWO_HOLDERS', { field: 'number' });
}

function newest(cards: readonly Card[]): Card | null {
  const rank = (card: Card): string => `${card.validFrom ?? '0000-00-00'} ${card.id}`;
  return cards.reduce<Card | null>((best, card) => (best === null || rank(card) > rank(best) ? card : best), null);
}
