import { randomUUID } from 'node:crypto';
import type { FastifyRequest } from 'fastify';

/*
 * What holds for every request that reaches the hub from outside, whatever it asks: it has a trace id, comes under a name of
 * ours, and, where a browser says from which page, from a page of ours.
 */

export interface EdgeOptions {
  /** Hosts under which the hub is reached, `name:port` as a Host header has them, lower case. */
  readonly hosts: () => readonly string[];
  /** Origins whose pages may use it: the hub's own. */
  readonly origins: () => readonly string[];
}

export interface Edge {
  /** Ours, or the caller's where it has our form. */
  traceIdOf(request: FastifyRequest): string;
  knowsHost(request: FastifyRequest): boolean;
  /** False for a request that a page of another origin sends. */
  knowsOrigin(request: FastifyRequest): boolean;
}

const traceIds = new WeakMap<FastifyRequest, string>();
const traceForm = /^[0-9a-f]{32}$/;

export function newTraceId(): string {
  return randomUUID().replaceAll('-', ''); // several times faster than randomBytes: it keeps random bytes in store
}

export function openEdge({ hosts, origins }: EdgeOptions): Edge {
  return {
    traceIdOf(request) {
      const known = traceIds.get(request);
      if (known !== undefined) return known;
      const sent = request.headers['x-trace-id'];
      const traceId = typeof sent === 'string' && traceForm.test(sent) ? sent : newTraceId();
      traceIds.set(request, traceId);
      return traceId;
    },
    knowsHost(request) {
      const { host } = request.headers;
      return host !== undefined && hosts().includes(host.toLowerCase());
    },
    knowsOrigin(request) {
      const { origin } = request.headers;
      if (origin !== undefined) return origins().includes(origin);
      const site = request.headers['sec-fetch-site'];
      return site === undefined || site === 'same-origin' || site === 'none';
    },
  };
}
