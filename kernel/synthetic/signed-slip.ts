import { createECDH, createHash, createPrivateKey, createPublicKey, hkdfSync, sign, type KeyObject } from 'node:crypto';
import type { CitizenId } from '../domain/ids.ts';
import type { Facts } from './facts.ts';
import type { SyntheticReexamination, SyntheticReferral } from './records.ts';

/*
 * What a hospital of the synthetic province sends: the table of one slip (XML13, XML14 of QĐ 3176/QĐ-BYT) with an enveloped signature of
 * the hospital (ECDSA P-256 with SHA-256, C14N 1.0). Written in canonical form from the start, so that the digest is that of the text as
 * it stands; any tool that knows XML signatures verifies it. Keys come from the seed: for demonstrations and tests, secret to nobody.
 */

const signatures = 'http://www.w3.org/2000/09/xmldsig#';
const c14n = 'http://www.w3.org/TR/2001/REC-xml-c14n-20010315';

/** Order of P-256: a private key is a number below it. */
const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

const keys = new Map<string, KeyObject>();

/** The key with which a hospital of this seed signs. */
export function signingKey(seed: number, facility: string): KeyObject {
  const name = `${seed} ${facility}`;
  const known = keys.get(name);
  if (known !== undefined) return known;
  const drawn = BigInt(`0x${Buffer.from(hkdfSync('sha256', name, '', 'synthetic hospital', 40)).toString('hex')}`);
  const d = Buffer.from(((drawn % (order - 1n)) + 1n).toString(16).padStart(64, '0'), 'hex');
  const curve = createECDH('prime256v1');
  curve.setPrivateKey(d);
  const point = curve.getPublicKey();
  const text = (part: Buffer): string => part.toString('base64url');
  const [x, y] = [text(point.subarray(1, 33)), text(point.subarray(33))];
  const key = createPrivateKey({ format: 'jwk', key: { kty: 'EC', crv: 'P-256', d: text(d), x, y } });
  keys.set(name, key);
  return key;
}

/** For whoever checks what was signed. */
export function verifyingKey(seed: number, facility: string): KeyObject {
  return createPublicKey(signingKey(seed, facility));
}

interface SignedOf {
  readonly seed: number;
  readonly citizen: CitizenId;
  readonly facts: Facts;
  /** Card number shown, if any. */
  readonly card: string | null;
}

export function signedReferral(of: SignedOf, slip: SyntheticReferral): Buffer {
  return signed(of.seed, slip.fromFacility, 'CHI_TIEU_GIAYCHUYENTUYEN', [
    ['MA_LK', episode(of, slip.number)],
    ['SO_HOSO', slip.number],
    ['SO_CHUYENTUYEN', slip.number],
    ['GIAY_CHUYEN_TUYEN', slip.number],
    ['MA_CSKCB', slip.fromFacility],
    ['MA_CSKCB_DEN', slip.toFacility],
    ...patient(of),
    ['NGAY_RA', `${compact(slip.issuedOn)}0900`],
    ['MA_LOAI_RV', '2'],
    ['MA_LYDO_CT', '1'],
    ['HUONG_DIEU_TRI', slip.reason],
    ['MA_BAC_SI', doctorOf(slip.fromFacility)],
    ['MA_TTDV', doctorOf(slip.fromFacility)],
    ['DU_PHONG', ''],
  ]);
}

export function signedReexamination(of: SignedOf, slip: SyntheticReexamination): Buffer {
  return signed(of.seed, slip.facility, 'CHI_TIEU_GIAYHEN_KHAMLAI', [
    ['MA_LK', episode(of, slip.number)],
    ['SO_GIAYHEN_KL', slip.number],
    ['MA_CSKCB', slip.facility],
    ...patient(of),
    ['NGAY_HEN_KL', compact(slip.appointmentOn)],
    ['MA_BAC_SI', doctorOf(slip.facility)],
    ['MA_TTDV', doctorOf(slip.facility)],
    ['NGAY_CT', compact(slip.issuedOn)],
    ['DU_PHONG', ''],
  ]);
}

type Element = readonly [name: string, text: string];

function patient({ facts, card }: SignedOf): readonly Element[] {
  return [
    ['HO_TEN', facts.fullName],
    ['NGAY_SINH', `${compact(facts.dateOfBirth).padEnd(8, '0')}0000`],
    ['GIOI_TINH', facts.gender === 'MALE' ? '1' : '2'],
    ['DIA_CHI', facts.permanent.text],
    ['MA_THE_BHYT', card ?? ''],
  ];
}

const compact = (day: string): string => day.replaceAll('-', '');
const doctorOf = (facility: string): string => `00${facility}/GPHN`;

/** Neither number nor name: an id of the visit is the hospital's own. */
function episode({ citizen }: SignedOf, number: string): string {
  return createHash('sha256').update(`${citizen} ${number}`).digest('hex').slice(0, 24);
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const element = (name: string, inside: string, attributes = ''): string => `<${name}${attributes}>${inside}</${name}>`;

function signed(seed: number, facility: string, table: string, fields: readonly Element[]): Buffer {
  const body = fields.map(([name, text]) => element(name, escaped(text))).join('');
  const digest = createHash('sha256').update(element(table, body)).digest('base64');
  const algorithm = (uri: string): string => ` Algorithm="${uri}"`;
  const reference = [
    element(
      'Transforms',
      `${element('Transform', '', algorithm(`${signatures}enveloped-signature`))}${element('Transform', '', algorithm(c14n))}`,
    ),
    element('DigestMethod', '', algorithm('http://www.w3.org/2001/04/xmlenc#sha256')),
    element('DigestValue', digest),
  ].join('');
  const inside = [
    element('CanonicalizationMethod', '', algorithm(c14n)),
    element('SignatureMethod', '', algorithm('http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256')),
    element('Reference', reference, ' URI=""'),
  ].join('');
  // Signed under the namespace that it inherits where it stands.
  const bytes = Buffer.from(element('SignedInfo', inside, ` xmlns="${signatures}"`));
  const value = sign('sha256', bytes, { key: signingKey(seed, facility), dsaEncoding: 'ieee-p1363' }).toString('base64');
  const signature = element(
    'Signature',
    element('SignedInfo', inside) + element('SignatureValue', value),
    ` xmlns="${signatures}"`,
  );
  return Buffer.from(element(table, body + signature));
}
