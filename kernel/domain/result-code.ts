import type { Brand, Parsed } from './brand.ts';
import { holdsMask } from './masking.ts';

/**
 * Code of a paper in the electronic store: `<owner>.KQ.<agency>.<serial of the type>[.<number of the paper>]`, e.g. the pharmacy
 * practice certificate `….KQ.G18.000010.1817`. It holds a personal number: never in a URL, a log or a file name.
 */
export type ResultCode = Brand<string, 'ResultCode'>;
export type ResultCodeReason = 'MASKED_VALUE' | 'RESULT_CODE_FORMAT';

export function parseResultCode(text: string): Parsed<ResultCode, ResultCodeReason> {
  if (holdsMask(text)) return { ok: false, reason: 'MASKED_VALUE' };
  const code = text.normalize('NFC');
  // Offices number their papers with letters of their language: `15/QĐ-SYT`.
  const good = /^[0-9A-Z]{6,20}\.KQ\.[GH][0-9]{2}\.[0-9]{6}(?:\.[0-9\p{Script=Latin}][0-9\p{Script=Latin}/._-]{0,49})?$/u.test(
    code,
  );
  return good ? { ok: true, value: code as ResultCode } : { ok: false, reason: 'RESULT_CODE_FORMAT' };
}

/** Owner (personal number, or the id of an organisation) and type of the paper (`KQ.G18.000010`). */
export function readResultCode(code: ResultCode): { readonly owner: string; readonly type: string; readonly agency: string } {
  const [owner = '', mark = '', agency = '', serial = ''] = code.split('.');
  return { owner, type: `${mark}.${agency}.${serial}`, agency };
}
