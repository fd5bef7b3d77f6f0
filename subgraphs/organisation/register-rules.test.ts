import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { givenLogin, givenName } from './register-rules.ts';

const hostile = /[\p{Cc}\p{Cf}\u2028\u2029]/u;

test('the name of an account or client is one line without colours of a terminal [A42]', () => {
  expect(givenName('Nguyễn\r\nVăn \u001b[31mAn\u202e')).toBe('Nguyễn Văn [31mAn');
  expect(() => givenName('\r\n\u001b\u200b')).toThrow('NAME_EMPTY');
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 200 }), (text) => {
      expect(givenName(`A${text}`.slice(0, 200))).not.toMatch(hostile);
    }),
  );
});

test('a log-in takes no sign beyond those it is made of [A42]', () => {
  for (const login of ['clerk11\r\n', 'clerk\u001b[31m', 'clerk\u0000', 'clerk 11', 'clerk\u202e11']) {
    expect(() => givenLogin(login)).toThrow('LOGIN_FORMAT');
  }
  expect(givenLogin('clerk11')).toBe('clerk11');
});
