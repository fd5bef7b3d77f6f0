import { XMLParser } from 'fast-xml-parser';
import { z } from 'zod';
import type { Gender } from '#kernel/domain/gender.ts';
import { isDay, parsePlainDate, yearOf, type PlainDate } from '#kernel/domain/plain-date.ts';
import { findCommune, listsWith, type PlaceList } from '#kernel/places/index.ts';
import { SystemBusy, SystemRefused, type Violation } from '../outcomes.ts';
import type { Asker, PopulationPerson, PopulationPlace, StatedPerson } from './person.ts';

/*
 * Their format: SOAP 1.1 with Vietnamese element names. Envelopes are written by hand, answers are parsed and then checked against a
 * schema: what does not fit is a violation of the interface, never a half-understood person. Source of each fact: README.md.
 */

export type Operation = 'XacThucThongTinCongDan' | 'TraCuuThongTinCongDan';

/** MaTichHop of each operation. */
const integrationCodes: Readonly<Record<Operation, string>> = { XacThucThongTinCongDan: '003', TraCuuThongTinCongDan: '037' };

export const requestNamespace = 'http://dancuquocgia.bca';

export function soapAction(operation: Operation): string {
  return `"${requestNamespace}/${operation}"`;
}

export interface Call {
  readonly operation: Operation;
  /** MaYeuCau. */
  readonly requestId: string;
  readonly asker: Asker;
  /** Of a look-up the number alone leaves the house. */
  readonly person: StatedPerson;
}

export function envelopeOf({ operation, requestId, asker, person }: Call): string {
  const header =
    element('MaYeuCau', requestId) +
    element('MaDVC', asker.procedure) +
    element('MaTichHop', integrationCodes[operation]) +
    element('MaCanBo', asker.officer) +
    element('TaiKhoan', asker.account) +
    element('MaDonVi', asker.unit);
  const body = operation === 'XacThucThongTinCongDan' ? statementOf(person) : element('SoDinhDanh', person.personalId);
  return (
    '<?xml version="1.0" encoding="UTF-8"?>' +
    `<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:dan="${requestNamespace}">` +
    `<soapenv:Header/><soapenv:Body><dan:${operation}>${header}${body}</dan:${operation}></soapenv:Body></soapenv:Envelope>`
  );
}

/**
 * What is to be confirmed: the whole sheet of what both sides keep. An empty element states that we have no value, so that a "yes" means
 * that they have none either.
 */
function statementOf(person: StatedPerson): string {
  const { gender } = person;
  return (
    stated('SoDinhDanh', text(person.personalId)) +
    stated('SoCMND', text(person.oldIdNumber)) +
    stated('HoVaTen', text(person.fullName.normalize('NFC').toUpperCase())) +
    stated('NgayThangNamSinh', birthOf(person.dateOfBirth)) +
    stated('GioiTinh', gender === null ? '' : genderDigits[gender]) +
    stated('NoiDangKyKhaiSinh', placeOf(person.birthplace)) +
    stated('QueQuan', placeOf(person.nativePlace)) +
    stated('ThuongTru', placeOf(person.permanentAddress))
  );
}

function stated(name: string, content: string): string {
  return content === '' ? `<dan:${name}/>` : `<dan:${name}>${content}</dan:${name}>`;
}

function text(value: string | null): string {
  return value === null ? '' : escaped(value);
}

const genderDigits: Readonly<Record<Gender, string>> = { MALE: '1', FEMALE: '2', UNDETERMINED: '3' };

/** They know a day or a year; a month alone is no form of theirs. */
function birthOf(date: PlainDate | null): string {
  if (date === null) return '';
  return isDay(date) ? element('NgayThangNam', date.replaceAll('-', '')) : element('Nam', String(yearOf(date)));
}

function placeOf(place: PopulationPlace | null): string {
  if (place === null) return '';
  const { provinceCode, code, detail } = place;
  return given('MaTinhThanh', provinceCode) + given('MaPhuongXa', code) + given('ChiTiet', detail);
}

function given(name: string, value: string | null): string {
  return value === null ? '' : element(name, value);
}

function element(name: string, value: string): string {
  return `<dan:${name}>${escaped(value)}</dan:${name}>`;
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };

/** Characters that XML cannot carry are left out: no form of ours lets them in. */
function escaped(value: string): string {
  return value
    .replace(/[&<>"']/g, (mark) => entities[mark] ?? mark)
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '');
}

/** Numbers stay text (a leading zero counts), names lose their prefix. */
const parser = new XMLParser({
  ignoreAttributes: true,
  removeNSPrefix: true,
  parseTagValue: false,
  trimValues: true,
  processEntities: true,
  isArray: (name) => name === 'CongDan',
});

const utf8 = new TextDecoder('utf-8', { fatal: true });

export function violated(violation: Violation): SystemBusy {
  return new SystemBusy('violation', { violation });
}

/** The element inside the body of the answer. A declaration of a document type is refused before anything is parsed. */
export function bodyOf(bytes: Uint8Array): unknown {
  let document: string;
  try {
    document = utf8.decode(bytes);
  } catch {
    throw violated('encoding');
  }
  // A NUL is a letter of UTF-16, in which a document type would not be recognised.
  if (document.includes('\u0000')) throw violated('encoding');
  if (/<!\s*(?:DOCTYPE|ENTITY)/i.test(document)) throw violated('doctype');
  if (!document.trimStart().startsWith('<')) throw violated('not-xml');
  if (!isWhole(document)) throw violated('malformed');
  let parsed: unknown;
  try {
    parsed = parser.parse(document);
  } catch {
    throw violated('malformed');
  }
  const envelope = envelopeSchema.safeParse(parsed);
  if (!envelope.success) throw violated(/<html[\s>]/i.test(document) ? 'not-xml' : 'wrong-type');
  const { Body: body } = envelope.data.Envelope;
  if ('Fault' in body) throw faultOf(body.Fault);
  return body;
}

/** Every element is closed, in order: the parser itself is lenient, and half an answer must not be read as a whole one. */
function isWhole(document: string): boolean {
  const open: string[] = [];
  for (const tag of document
    .replace(/<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>/gs, '')
    .matchAll(/<(\/?)([\w:.-]+)[^<>]*?(\/?)>|</g)) {
    const [, closing, name, empty] = tag;
    if (name === undefined) return false;
    if (closing === '/') {
      if (open.pop() !== name) return false;
    } else if (empty !== '/') open.push(name);
  }
  return open.length === 0;
}

const envelopeSchema = z.object({ Envelope: z.object({ Body: z.record(z.string(), z.unknown()) }) });
const faultSchema = z.object({
  faultcode: z.string().default(''),
  detail: z
    .object({ MaLoi: z.string().default('') })
    .catch({ MaLoi: '' })
    .default({ MaLoi: '' }),
});

/** 004: the procedure may not use these data; 005: the officer has no right. Of others only the side that is to blame is known. */
function faultOf(fault: unknown): SystemBusy | SystemRefused {
  const parsed = faultSchema.safeParse(fault);
  if (!parsed.success) return violated('wrong-type');
  const { faultcode, detail } = parsed.data;
  if (detail.MaLoi === '004' || detail.MaLoi === '005') return new SystemRefused('rights');
  return /(?:^|:)Client(?:\.|$)/.test(faultcode) ? new SystemRefused('request') : new SystemBusy('fault');
}

const flag = z.enum(['true', 'false', '1', '0']).transform((word) => word === 'true' || word === '1');
const optional = z
  .string()
  .nullish()
  .transform((value) => (value === '' ? null : (value ?? null)));

export interface Confirmation {
  readonly known: boolean;
  readonly agrees: boolean;
  readonly asOf: Date | null;
}

const confirmationSchema = z.object({
  XacThucThongTinCongDanResponse: z.object({
    MaYeuCau: optional,
    TonTai: flag,
    KetQuaXacThuc: flag,
    ThoiDiemDuLieu: optional,
  }),
});

export function confirmationIn(body: unknown, requestId: string): Confirmation {
  const parsed = confirmationSchema.safeParse(body);
  if (!parsed.success) throw violated('wrong-type');
  const answer = parsed.data.XacThucThongTinCongDanResponse;
  refuseForeign(answer.MaYeuCau, requestId);
  if (answer.KetQuaXacThuc && !answer.TonTai) throw violated('contradiction');
  return { known: answer.TonTai, agrees: answer.KetQuaXacThuc, asOf: instantOf(answer.ThoiDiemDuLieu) };
}

export interface LookUp {
  /** `null`: nobody has this number. */
  readonly person: PopulationPerson | null;
  readonly asOf: Date | null;
}

/** An element that is there and empty reads as `''`. */
const block = <T extends z.ZodType>(schema: T) => z.union([schema, z.literal('').transform(() => null)]).nullish();

const placeSchema = z.object({
  MaTinhThanh: optional,
  MaQuanHuyen: optional,
  MaPhuongXa: optional,
  ChiTiet: optional,
});

const citizenSchema = z.object({
  SoDinhDanh: z.string().regex(/^[0-9]{12}$/),
  SoCMND: optional.pipe(
    z
      .string()
      .regex(/^[0-9]{9}$/)
      .nullable(),
  ),
  HoVaTen: z.object({ Ho: optional, ChuDem: optional, Ten: optional }),
  NgayThangNamSinh: block(z.object({ Nam: optional, NgayThangNam: optional })),
  GioiTinh: optional,
  NoiDangKyKhaiSinh: block(placeSchema),
  QueQuan: block(placeSchema),
  ThuongTru: block(placeSchema),
});

const lookUpSchema = z.object({
  TraCuuThongTinCongDanResponse: z.object({
    MaYeuCau: optional,
    CongdanCollection: z.object({ ThoiDiemDuLieu: optional, CongDan: z.array(citizenSchema).default([]) }),
  }),
});

export function lookUpIn(body: unknown, requestId: string, personalId: string): LookUp {
  const parsed = lookUpSchema.safeParse(body);
  if (!parsed.success) throw violated('wrong-type');
  const { MaYeuCau, CongdanCollection } = parsed.data.TraCuuThongTinCongDanResponse;
  refuseForeign(MaYeuCau, requestId);
  const asOf = instantOf(CongdanCollection.ThoiDiemDuLieu);
  const [first, ...more] = CongdanCollection.CongDan;
  if (first === undefined) return { person: null, asOf };
  // The same record twice says it once; two records of one number say nothing.
  const said = JSON.stringify(first);
  if (first.SoDinhDanh !== personalId || more.some((other) => JSON.stringify(other) !== said)) throw violated('contradiction');
  return { person: personOf(first), asOf };
}

/** An answer to another question, late or mixed up. */
function refuseForeign(answered: string | null, asked: string): void {
  if (answered !== null && answered !== asked) throw violated('contradiction');
}

function personOf(citizen: z.infer<typeof citizenSchema>): PopulationPerson {
  const { Ho, ChuDem, Ten } = citizen.HoVaTen;
  const fullName = [Ho, ChuDem, Ten].filter((part) => part !== null).join(' ');
  if (fullName === '') throw violated('wrong-type');
  return {
    personalId: citizen.SoDinhDanh,
    oldIdNumber: citizen.SoCMND,
    fullName,
    dateOfBirth: birthIn(citizen.NgayThangNamSinh ?? null),
    gender: genderIn(citizen.GioiTinh),
    birthplace: placeIn(citizen.NoiDangKyKhaiSinh ?? null),
    nativePlace: placeIn(citizen.QueQuan ?? null),
    permanentAddress: placeIn(citizen.ThuongTru ?? null),
  };
}

/** A day or month of zeros is not known. */
function birthIn(stated: { readonly Nam: string | null; readonly NgayThangNam: string | null } | null): PlainDate | null {
  const given = stated?.NgayThangNam ?? stated?.Nam ?? null;
  if (given === null) return null;
  const digits = /^(\d{4})(?:(\d{2})(\d{2}))?$/.exec(given);
  if (digits === null) throw violated('wrong-type');
  const [, year = '', month = '00', day = '00'] = digits;
  const known = [year, ...(month === '00' ? [] : [month, ...(day === '00' ? [] : [day])])].join('-');
  const date = parsePlainDate(known);
  if (!date.ok) throw violated('wrong-type');
  return date.value;
}

function genderIn(digit: string | null): Gender | null {
  switch (digit) {
    case null:
      return null;
    case '1':
      return 'MALE';
    case '2':
      return 'FEMALE';
    default:
      return 'UNDETERMINED';
  }
}

function placeIn(stated: z.infer<typeof placeSchema> | null): PopulationPlace | null {
  if (stated === null) return null;
  const { MaTinhThanh, MaQuanHuyen, MaPhuongXa, ChiTiet } = stated;
  if (MaTinhThanh === null && MaPhuongXa === null && ChiTiet === null) return null;
  return {
    detail: ChiTiet,
    code: MaPhuongXa,
    list: MaPhuongXa === null ? null : listOf(MaPhuongXa, MaTinhThanh, MaQuanHuyen),
    provinceCode: MaTinhThanh,
  };
}

/**
 * Their places name no version of the list. A district exists only before 01/07/2025; without one the code is read by the list that knows
 * it, and by the province where both do.
 */
function listOf(code: string, province: string | null, district: string | null): PlaceList | null {
  const lists = listsWith(code);
  if (lists.length < 2) return lists[0] ?? null;
  if (district !== null) return '2024';
  const fitting = province === null ? [] : lists.filter((list) => findCommune(code, list)?.provinceCode === province);
  return fitting.length === 1 ? (fitting[0] ?? null) : '2025';
}

/** ThoiDiemDuLieu: milliseconds since 1970, or ISO 8601. */
function instantOf(stated: string | null): Date | null {
  if (stated === null) return null;
  const instant = /^\d{12,14}$/.test(stated) ? new Date(Number(stated)) : isoInstant(stated);
  if (Number.isNaN(instant.getTime())) throw violated('wrong-type');
  return instant;
}

/** Without a zone it is the time of Việt Nam. */
function isoInstant(stated: string): Date {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})?$/.test(stated)) return new Date(NaN);
  return new Date(/(?:Z|[+-]\d{2}:\d{2})$/.test(stated) ? stated : `${stated}+07:00`);
}
