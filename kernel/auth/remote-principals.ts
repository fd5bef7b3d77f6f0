import { refusal } from '../errors/hub-error.ts';
import { readBasis, readPrincipal } from './envelope.ts';
import type { HopSigner } from './hop.ts';
import type { BasisAsked, PrincipalSource } from './principal.ts';
import { purposes } from './purposes.ts';

/*
 * Principals across the hop: in topology `apart` the gateway asks organisation's process, over a route that only a seal opens.
 * Nothing is cached here: the authenticator holds principals for 30 s, a legal basis is asked for each time.
 */

/** Where organisation's own process answers. */
export const principalsPath = '/internal/principals';

/** Sends a sealed body to {@link principalsPath} and gives the answer's text; rejects when it is not a 200 within its time. */
export type PrincipalPost = (body: string, seal: string) => Promise<string>;

type Question =
  | { readonly ask: 'find'; readonly subject: string; readonly issuedAt: number }
  | { readonly ask: 'basis'; readonly principalId: string; readonly basisId: string; readonly asked: BasisAsked | null };

export function remotePrincipals(signer: HopSigner, post: PrincipalPost): PrincipalSource {
  async function ask(question: Question): Promise<unknown> {
    const body = JSON.stringify(question);
    try {
      const answer: unknown = JSON.parse(await post(body, signer.seal('organisation', 'principals', body)));
      if (typeof answer !== 'object' || answer === null || !('value' in answer)) throw new Error('no answer to a question');
      return answer.value;
    } catch (cause) {
      throw refusal('ORGANISATION_AWAY', { retryAfter: 2, cause });
    }
  }
  return {
    async find(subject, issuedAt) {
      return readPrincipal(await ask({ ask: 'find', subject, issuedAt: issuedAt.getTime() }));
    },
    async basis(principalId, basisId, asked) {
      return readBasis(await ask({ ask: 'basis', principalId, basisId, asked: asked ?? null }));
    },
  };
}

/** The other end: answers a body whose seal was opened. `null`: this is no question. */
export async function answerQuestion(principals: PrincipalSource, body: string): Promise<string | null> {
  const question = readQuestion(body);
  if (question === null) return null;
  const value =
    question.ask === 'find'
      ? await principals.find(question.subject, new Date(question.issuedAt))
      : await principals.basis(question.principalId, question.basisId, question.asked ?? undefined);
  return JSON.stringify({ value });
}

function readQuestion(body: string): Question | null {
  const said = parse(body);
  if (said.ask === 'find' && typeof said.subject === 'string' && typeof said.issuedAt === 'number') {
    return { ask: 'find', subject: said.subject, issuedAt: said.issuedAt };
  }
  if (said.ask === 'basis' && typeof said.principalId === 'string' && typeof said.basisId === 'string') {
    return { ask: 'basis', principalId: said.principalId, basisId: said.basisId, asked: readAsked(said.asked) };
  }
  return null;
}

function readAsked(value: unknown): BasisAsked | null {
  if (typeof value !== 'object' || value === null) return null;
  const { purpose, operation, traceId }: Readonly<Record<string, unknown>> = { ...value };
  const known = purposes.find((one) => one === purpose);
  if (known === undefined || typeof operation !== 'string' || typeof traceId !== 'string') return null;
  return { purpose: known, operation, traceId };
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
