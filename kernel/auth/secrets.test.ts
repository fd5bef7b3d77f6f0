import { expect, test } from '@jest/globals';
import { hashPassword, hashSecret, newSecret, verifyPassword, verifySecret } from './secrets.ts';

test('a password is kept as argon2id and recognised in either Unicode form', async () => {
  const stored = await hashPassword('Mật khẩu dài');
  expect(stored).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  expect(await verifyPassword(stored, 'Mật khẩu dài'.normalize('NFD'))).toBe(true);
  expect(await verifyPassword(stored, 'mật khẩu dài')).toBe(false);
  expect(await verifyPassword(null, 'Mật khẩu dài')).toBe(false);
  expect(await verifyPassword('not a hash', 'Mật khẩu dài')).toBe(false);
});

test('a secret of our own making is kept as SHA-256, a short one as argon2id', async () => {
  const own = newSecret();
  expect(own).toMatch(/^lts_[\w-]{43}$/);
  expect(await hashSecret(own)).toMatch(/^sha256:/);
  expect(await hashSecret('reader-secret')).toMatch(/^\$argon2id\$/);
});

test('during a rotation both secrets are good; a hash is never a secret', async () => {
  const [first, second] = [newSecret(), 'reader-secret'];
  const stored = [await hashSecret(first), await hashSecret(second)];
  expect(await verifySecret(stored, first)).toBe(true);
  expect(await verifySecret(stored, second)).toBe(true);
  expect(await verifySecret(stored, newSecret())).toBe(false);
  expect(await verifySecret(stored, stored[0] ?? '')).toBe(false);
  expect(await verifySecret([], first)).toBe(false);
});
