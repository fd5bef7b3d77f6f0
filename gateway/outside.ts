import { connect } from 'node:net';
import type { OutsideState } from '#kernel/http.ts';

/** So old, in milliseconds, what is known may be before it is looked for again; and how long a look takes at most. */
const fresh = 5_000;
const patience = 2_000;

/**
 * Whether somebody listens at the address of a system of somebody else. It answers from what is known and looks again behind the answer; it
 * sends nothing, since a question to such a system is a question about somebody.
 */
export function outsideState(address: string | null): () => OutsideState {
  if (address === null) return () => 'absent';
  const { hostname, port, protocol } = new URL(address);
  const target = {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port === '' ? (protocol === 'https:' ? 443 : 80) : port),
  };
  let state: OutsideState = 'down';
  let lookedAt = Number.NEGATIVE_INFINITY;
  const look = () => {
    lookedAt = performance.now();
    const socket = connect({ ...target, timeout: patience });
    const settle = (found: OutsideState) => {
      state = found;
      socket.destroy();
    };
    socket.once('connect', () => settle('up'));
    socket.once('timeout', () => settle('down'));
    socket.once('error', () => settle('down'));
    socket.unref();
  };
  look();
  return () => {
    if (performance.now() - lookedAt >= fresh) look();
    return state;
  };
}
