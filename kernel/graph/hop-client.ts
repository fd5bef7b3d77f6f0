import { Pool } from 'undici';
import type { HopAnswer, HopRequest, HopSend } from '../auth/organisation-hop.ts';

/** Largest answer of a subgraph. Bytes. */
const longestAnswer = 10 * 1024 * 1024;
/** A subgraph that is away is known to be so at once; one that hangs, after this long. Milliseconds. */
const connectPatience = 1_000;
const answerPatience = 15_000;
const connections = 8;

export interface HopClient {
  readonly send: HopSend;
  close(): Promise<void>;
}

/** Kept-alive connections to one subgraph. Nothing is sent twice: whoever sends knows whether that would be harmless. */
export function openHopClient(address: string): HopClient {
  const pool = new Pool(address, {
    connections,
    pipelining: 1,
    connect: { timeout: connectPatience },
    headersTimeout: answerPatience,
    bodyTimeout: answerPatience,
    keepAliveTimeout: 30_000,
    // Below the server's own keep-alive time, so that a request is never written into a connection that it is closing.
    keepAliveMaxTimeout: 60_000,
  });
  return {
    async send({ method, path, headers, body }: HopRequest): Promise<HopAnswer> {
      const answer = await pool.request({ method, path, headers, body });
      const chunks: Buffer[] = [];
      let length = 0;
      for await (const chunk of answer.body) {
        const bytes = chunk as Buffer;
        length += bytes.length;
        if (length > longestAnswer) {
          answer.body.destroy();
          throw new Error('a subgraph answered with more than 10 MiB');
        }
        chunks.push(bytes);
      }
      return {
        status: answer.statusCode,
        headers: answer.headers,
        body: chunks.length === 1 ? (chunks[0] ?? empty) : Buffer.concat(chunks),
      };
    },
    close: () => pool.close(),
  };
}

const empty = Buffer.alloc(0);
