import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/**
 * Texts that lie sealed under the secret of the installation, so that a stolen database alone tells nothing. Each `use` has a key of its
 * own; a text opens only for the `owner` it was sealed for.
 */
export class Sealed {
  readonly #key: Buffer;

  constructor(installationSecret: Buffer, use: string) {
    this.#key = Buffer.from(hkdfSync('sha256', installationSecret, '', use, 32));
  }

  seal(owner: string, text: string): string {
    const iv = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.#key, iv).setAAD(Buffer.from(owner));
    const sealed = Buffer.concat([cipher.update(text), cipher.final()]);
    return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url');
  }

  /** Throws for whatever was not sealed for this owner. */
  unseal(owner: string, sealed: string): string {
    const bytes = Buffer.from(sealed, 'base64url');
    const decipher = createDecipheriv('aes-256-gcm', this.#key, bytes.subarray(0, 12), { authTagLength: 16 });
    decipher.setAAD(Buffer.from(owner)).setAuthTag(bytes.subarray(12, 28));
    return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString();
  }
}
