import type { Brand, Parsed } from './brand.ts';
import { holdsMask } from './masking.ts';

/** A Vietnamese telephone number in national form: `0912345678`, `02563812345`. */
export type Phone = Brand<string, 'Phone'>;
export type PhoneReason = 'MASKED_VALUE' | 'PHONE_FORMAT';

/** Accepts `+84`, `84` and `0084` for the leading zero, and blanks, dots, hyphens and brackets between the digits. */
export function parsePhone(text: string): Parsed<Phone, PhoneReason> {
  if (holdsMask(text)) return { ok: false, reason: 'MASKED_VALUE' };
  const digits = text.replace(/[\s.()-]/g, '').replace(/^(?:\+|00)?84(?=[1-9][0-9]{8,9}$)/, '0');
  if (!/^0(?:[35789][0-9]{8}|2[0-9]{8,9})$/.test(digits)) return { ok: false, reason: 'PHONE_FORMAT' };
  return { ok: true, value: digits as Phone };
}

/** An e-mail address in lower case; the few servers that tell case apart are none that a citizen uses. */
export type Email = Brand<string, 'Email'>;
export type EmailReason = 'MASKED_VALUE' | 'EMAIL_FORMAT';

export function parseEmail(text: string): Parsed<Email, EmailReason> {
  if (holdsMask(text)) return { ok: false, reason: 'MASKED_VALUE' };
  const email = text.toLowerCase();
  const [local = '', domain = '', surplus] = email.split('@');
  const good =
    surplus === undefined &&
    email.length <= 254 &&
    /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/.test(local) &&
    local.length <= 64 &&
    /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/.test(domain);
  return good ? { ok: true, value: email as Email } : { ok: false, reason: 'EMAIL_FORMAT' };
}
