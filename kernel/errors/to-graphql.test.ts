import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { GraphQLError } from 'graphql';
import { catalogue, type Reason } from './catalogue.ts';
import { HubError, refusal } from './hub-error.ts';
import { localeOf, toGraphQLError } from './to-graphql.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';

describe('an error on its way out', () => {
  test('a refusal carries class, reason, field and trace id, and the text of the caller’s language', () => {
    const error = refusal('PERSONAL_ID_FORMAT', { field: 'personalId' });
    expect(toGraphQLError(error, { locale: 'vi', traceId }, { path: ['citizen'] }).toJSON()).toEqual({
      message: catalogue.PERSONAL_ID_FORMAT.vi,
      path: ['citizen'],
      extensions: { code: 'BAD_INPUT', reason: 'PERSONAL_ID_FORMAT', field: 'personalId', traceId },
    });
    expect(toGraphQLError(error, { locale: 'en', traceId }).message).toBe(catalogue.PERSONAL_ID_FORMAT.en);
  });

  test('a refusal that the executor wrapped is the same refusal', () => {
    const wrapped = new GraphQLError('anything', { originalError: new HubError('RATE', 'ROLE_LACKS_RIGHT', { retryAfter: 7 }) });
    expect(toGraphQLError(wrapped, { locale: 'vi', traceId }).extensions).toMatchObject({ code: 'RATE', retryAfter: 7 });
  });

  test('whatever else breaks leaves as INTERNAL without a word of its own', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 12 }), fc.constantFrom<'vi' | 'en'>('vi', 'en'), (secret, locale) => {
        for (const error of [
          new Error(secret),
          new GraphQLError(secret),
          new HubErrorLookalike(secret),
          secret,
          { message: secret },
          null,
        ]) {
          const printed = toGraphQLError(error, { locale, traceId }).toJSON();
          expect(printed).toEqual({
            message: catalogue.INTERNAL[locale],
            extensions: { code: 'INTERNAL', reason: 'INTERNAL', field: null, traceId },
          });
        }
      }),
    );
  });

  test('the class of a reason is the one of the catalogue', () => {
    fc.assert(
      fc.property(fc.constantFrom(...(Object.keys(catalogue) as Reason[])), (reason) => {
        expect(refusal(reason).code).toBe(catalogue[reason].code);
      }),
    );
  });
});

class HubErrorLookalike extends Error {
  readonly code = 'BAD_INPUT';
  readonly reason = 'PERSONAL_ID_FORMAT';
}

test('Vietnamese unless English is preferred', () => {
  expect([undefined, '', '*', 'fr', 'vi', 'vi-VN,vi;q=0.9,en;q=0.8', 'en;q=0.1,vi', 'en;q=0'].map(localeOf)).toEqual(
    Array(8).fill('vi'),
  );
  expect(['en', 'en-US,en;q=0.9', 'fr, en;q=0.5', 'vi;q=0.3,en;q=0.9', 'EN'].map(localeOf)).toEqual(Array(5).fill('en'));
});
