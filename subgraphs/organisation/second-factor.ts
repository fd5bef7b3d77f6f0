import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';
import { renderSVG } from 'uqr';
import type { Clock } from '#kernel/clock.ts';

/*
 * The second factor of an account: six digits that change every 30 seconds (RFC 6238, as every authenticator app has them). Secrets
 * are kept sealed under the secret of the installation, so that a stolen database alone gives no codes.
 */

const period = 30;
const issuer = 'Liên Thông';

/** What is shown once, when it is set up. */
export interface Enrolment {
  /** For apps that take no picture: groups of four letters and digits. */
  readonly secret: string;
  /** Markup of a QR code. */
  readonly picture: string;
}

export class SecondFactor {
  readonly #key: Buffer;
  readonly #clock: Clock;

  constructor(installationSecret: Buffer, clock: Clock) {
    this.#key = Buffer.from(hkdfSync('sha256', installationSecret, '', 'organisation.second_factor', 32));
    this.#clock = clock;
  }

  /** A new secret, sealed for this account. */
  make(accountId: string): string {
    return this.#seal(accountId, new Secret({ size: 20 }).base32);
  }

  enrolment(accountId: string, sealed: string, login: string): Enrolment {
    const secret = this.#unseal(accountId, sealed);
    return {
      secret: secret.replace(/(.{4})(?=.)/g, '$1 '),
      picture: renderSVG(totp(secret, login).toString(), { border: 2 }),
    };
  }

  /**
   * The step of time that a code belongs to, one step early or late allowed; `null`: it is not the code. Whoever accepts it keeps the
   * step, since each code is good once.
   */
  stepOf(accountId: string, sealed: string, code: string): number | null {
    const token = code.replace(/\s/g, '');
    if (!/^\d{6}$/.test(token)) return null;
    const timestamp = this.#clock.now().getTime();
    const away = totp(this.#unseal(accountId, sealed), '').validate({ token, timestamp, window: 1 });
    return away === null ? null : Math.floor(timestamp / 1_000 / period) + away;
  }

  #seal(accountId: string, secret: string): string {
    const iv = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.#key, iv).setAAD(Buffer.from(accountId));
    const text = Buffer.concat([cipher.update(secret), cipher.final()]);
    return Buffer.concat([iv, cipher.getAuthTag(), text]).toString('base64url');
  }

  #unseal(accountId: string, sealed: string): string {
    const bytes = Buffer.from(sealed, 'base64url');
    const decipher = createDecipheriv('aes-256-gcm', this.#key, bytes.subarray(0, 12), { authTagLength: 16 });
    decipher.setAAD(Buffer.from(accountId)).setAuthTag(bytes.subarray(12, 28));
    return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString();
  }
}

function totp(secret: string, label: string): TOTP {
  return new TOTP({ issuer, label, algorithm: 'SHA1', digits: 6, period, secret: Secret.fromBase32(secret) });
}
