import { Secret, TOTP } from 'otpauth';
import { renderSVG } from 'uqr';
import type { Clock } from '#kernel/clock.ts';
import { Sealed } from './sealed.ts';

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
  readonly #sealed: Sealed;
  readonly #clock: Clock;

  constructor(installationSecret: Buffer, clock: Clock) {
    this.#sealed = new Sealed(installationSecret, 'organisation.second_factor');
    this.#clock = clock;
  }

  /** A new secret, sealed for this account. */
  make(accountId: string): string {
    return this.#sealed.seal(accountId, new Secret({ size: 20 }).base32);
  }

  enrolment(accountId: string, sealed: string, login: string): Enrolment {
    const secret = this.#sealed.unseal(accountId, sealed);
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
    const away = totp(this.#sealed.unseal(accountId, sealed), '').validate({ token, timestamp, window: 1 });
    return away === null ? null : Math.floor(timestamp / 1_000 / period) + away;
  }
}

function totp(secret: string, label: string): TOTP {
  return new TOTP({ issuer, label, algorithm: 'SHA1', digits: 6, period, secret: Secret.fromBase32(secret) });
}
