import { type PlainDay } from '#kernel/domain/plain-date.ts';

/** From when to when a card counts, both days included; no end = open. Without a beginning nobody knows whether it ever counted. */
export interface CardInterval {
  readonly validFrom: string | null;
  readonly validTo: string | null;
}

export function covers({ validFrom, validTo }: CardInterval, day: PlainDay): boolean {
  return validFrom !== null && validFrom <= day && (validTo === null || day <= validTo);
}

/** Whether there is a day that both cover: a person whose cards overlap has one too many. */
export function overlap(one: CardInterval, other: CardInterval): boolean {
  if (one.validFrom === null || other.validFrom === null) return false;
  return (
    covers(one, one.validFrom as PlainDay) &&
    covers(other, other.validFrom as PlainDay) &&
    (other.validTo === null || one.validFrom <= other.validTo) &&
    (one.validTo === null || other.validFrom <= one.validTo)
  );
}

export interface CardStanding extends CardInterval {
  readonly id: string;
  readonly status: string;
}

const standings = ['ACTIVE', 'UNVERIFIED'] as const;

/**
 * The card that counts on a day: a confirmed one before one that was only stated; of several the one that began last, then the one
 * that ends last (open ends last of all), then the lowest id, so that the same cards always give the same answer.
 */
export function inForceOn<Card extends CardStanding>(cards: readonly Card[], day: PlainDay): Card | null {
  for (const standing of standings) {
    const [first, ...others] = cards.filter((card) => card.status === standing && covers(card, day));
    if (first !== undefined) return others.reduce((best, card) => (precedes(card, best) ? card : best), first);
  }
  return null;
}

function precedes(one: CardStanding, other: CardStanding): boolean {
  const [from, otherFrom] = [one.validFrom ?? '', other.validFrom ?? ''];
  if (from !== otherFrom) return from > otherFrom;
  if (one.validTo !== other.validTo) return one.validTo === null || (other.validTo !== null && one.validTo > other.validTo);
  return one.id < other.id;
}
