import { expect, test } from '@jest/globals';
import { createHash, verify } from 'node:crypto';
import { XMLParser } from 'fast-xml-parser';
import type { PlainDay } from '../domain/plain-date.ts';
import { citizensOf, demoWorld } from './world.ts';
import { signedReexamination, signedReferral, verifyingKey } from './signed-slip.ts';

const seed = 7;
const world = demoWorld(seed, '2026-11-23' as PlainDay);
const people = [...citizensOf(world)];

/** The signature over the text without it, and the digest of that text. */
function holds(bytes: Buffer, facility: string): boolean {
  const text = bytes.toString();
  const [signature = ''] = /<Signature .*<\/Signature>/.exec(text) ?? [];
  const [, inside = ''] = /<SignedInfo>(.*)<\/SignedInfo>/.exec(signature) ?? [];
  const [, value = ''] = /<SignatureValue>(.*)<\/SignatureValue>/.exec(signature) ?? [];
  const digest = createHash('sha256').update(text.replace(signature, '')).digest('base64');
  return (
    inside.includes(`<DigestValue>${digest}</DigestValue>`) &&
    verify(
      'sha256',
      Buffer.from(`<SignedInfo xmlns="http://www.w3.org/2000/09/xmldsig#">${inside}</SignedInfo>`),
      { key: verifyingKey(seed, facility), dsaEncoding: 'ieee-p1363' },
      Buffer.from(value, 'base64'),
    )
  );
}

test('a signed slip of the synthetic province is what the hospital signed, and nobody else', () => {
  let checked = 0;
  for (const { id, ours, referrals, reexaminations } of people) {
    const of = { seed, citizen: id, facts: ours, card: null };
    for (const slip of referrals.filter(({ origin }) => origin === 'SIGNED')) {
      const bytes = signedReferral(of, slip);
      expect(holds(bytes, slip.fromFacility)).toBe(true);
      expect(holds(bytes, slip.toFacility)).toBe(false);
      expect(holds(Buffer.from(bytes.toString().replace(slip.toFacility, '99999')), slip.fromFacility)).toBe(false);
      const read = new XMLParser({ parseTagValue: false }).parse(bytes) as Record<string, Record<string, string>>;
      expect(read.CHI_TIEU_GIAYCHUYENTUYEN?.GIAY_CHUYEN_TUYEN).toBe(slip.number);
      checked += 1;
    }
    for (const slip of reexaminations.filter(({ origin }) => origin === 'SIGNED'))
      expect(holds(signedReexamination(of, slip), slip.facility)).toBe(true);
  }
  expect(checked).toBeGreaterThan(100);
});
