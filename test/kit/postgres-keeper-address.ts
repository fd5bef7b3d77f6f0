import { createHash } from 'node:crypto';
import { userInfo } from 'node:os';
import { fileURLToPath } from 'node:url';

/** What the keeper tells everyone who connects, as one line of JSON. */
export interface KeptServer {
  /** Removed when the server stops. */
  readonly directory: string;
  readonly ownerUrl: string;
  readonly administratorUrl: string;
}

const checkout = fileURLToPath(new URL('../..', import.meta.url));
const name = `lien-thong-test-${String(userInfo().uid)}-${createHash('sha256').update(checkout).digest('hex').slice(0, 12)}`;

/** On Linux an abstract socket: it vanishes with its process, so there is never a stale one to clean up. */
export const keeperAddress = process.platform === 'linux' ? `\0${name}` : `/tmp/${name}.sock`;
