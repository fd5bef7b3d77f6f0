import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { cardObjectCodes } from './card-object-codes.ts';
import {
  bhxhNumberOf,
  issuerOf,
  parseBhxhNumber,
  parseInsuranceCardNumber,
  suggestedCardNumber,
  usualLevel,
  type CardNumberRules,
} from './insurance-card-number.ts';

const outcome = (text: string, rules?: CardNumberRules): string => {
  const parsed = parseInsuranceCardNumber(text, rules);
  return parsed.ok ? parsed.value : parsed.reason;
};

describe('insurance card number', () => {
  test('lower case is accepted as upper case [B43]', () => expect(outcome('dn4380123456789')).toBe('DN4380123456789'));
  test('benefit level 6 does not exist [B44]', () => expect(outcome('DN6380123456789')).toBe('CARD_BENEFIT'));
  test('an unknown category is refused, unless the portal confirmed the card [B45]', () => {
    expect(outcome('ZZ4380123456789')).toBe('CARD_CATEGORY');
    expect(outcome('ZZ4380123456789', { confirmedByPortal: true })).toBe('ZZ4380123456789');
  });
  test('place of issue 00 never exists [B46]', () => expect(outcome('DN4000123456789')).toBe('CARD_ISSUER'));
  test('a military place of issue with a civil issuer is refused [B47]', () => {
    expect(outcome('DN4970123456789', { issuer: 'BHXH_VN' })).toBe('CARD_ISSUER');
    expect(outcome('DN4970123456789', { issuer: 'BHXH_BQP' })).toBe('DN4970123456789');
    expect(outcome('CA5980123456789', { issuer: 'BHXH_CAND' })).toBe('CA5980123456789');
    expect(outcome('DN4970123456789')).toBe('DN4970123456789');
  });
  test('fourteen characters and nine digits are refused for their length [B48, B49]', () => {
    expect(outcome('DN438012345678')).toBe('CARD_LENGTH');
    expect(outcome('123456789')).toBe('CARD_LENGTH');
  });
  test('blanks and hyphens are left out [B50]', () => {
    expect(outcome('DN4 38 0123456789')).toBe('DN4380123456789');
    expect(outcome('DN4-38-0123456789')).toBe('DN4380123456789');
  });
  test('the letter O among the digits is refused with the digit 0 suggested [B51]', () => {
    expect(outcome('DN438O123456789')).toBe('CARD_LETTER_O');
    expect(suggestedCardNumber('DN438O123456789')).toBe('DN4380123456789');
    expect(outcome('NO4380123456789')).toBe('NO4380123456789');
  });
  test('other letters among the digits are refused for their format', () =>
    expect(outcome('DN438A123456789')).toBe('CARD_FORMAT'));

  test('every number of the rules is accepted, whatever its blanks, and gives its parts back', () => {
    const number = fc
      .tuple(
        fc.constantFrom(...Object.keys(cardObjectCodes)),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 99 }),
        fc.stringMatching(/^[0-9]{10}$/),
      )
      .map(([code, level, place, rest]) => ({ code, level, place: String(place).padStart(2, '0'), rest }));
    fc.assert(
      fc.property(number, fc.constantFrom('', ' ', '-', '  '), ({ code, level, place, rest }, gap) => {
        const parsed = parseInsuranceCardNumber([code.toLowerCase() + String(level), place, rest].join(gap));
        if (!parsed.ok) throw new Error(parsed.reason);
        expect(parsed.value).toBe(`${code}${String(level)}${place}${rest}`);
        expect(bhxhNumberOf(parsed.value)).toBe(rest);
        expect(issuerOf(parsed.value)).toBe(place === '97' ? 'BHXH_BQP' : place === '98' ? 'BHXH_CAND' : 'BHXH_VN');
        expect(usualLevel(parsed.value)).toBe(cardObjectCodes[code]?.usualLevel);
      }),
    );
  });

  test('no text makes it throw', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 20 }), (text) => expect(typeof outcome(text)).toBe('string')));
  });
});

test('the social insurance number alone has ten digits', () => {
  expect(parseBhxhNumber('01 2345 6789')).toEqual({ ok: true, value: '0123456789' });
  expect(parseBhxhNumber('012345678')).toEqual({ ok: false, reason: 'BHXH_NUMBER_FORMAT' });
});
