import type { Caller } from '../auth/principal.ts';
import type { SubgraphName } from '../audit/audit.ts';
import type { ErrorCode, Reason } from '../errors/catalogue.ts';

/** One operation that the gateway's plan sends to one subgraph. */
export interface SubgraphRequest {
  /** Text of the operation; the same text is the same compiled operation. */
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly caller: Caller;
  readonly signal: AbortSignal;
}

export interface SubgraphError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions: Readonly<Record<string, unknown>>;
}

/** What a mutation was refused with: it stands in the answer as data, which the gateway does not read. */
export interface Declined {
  readonly code: ErrorCode;
  readonly reason: Reason;
}

export interface SubgraphAnswer {
  readonly data: Record<string, unknown> | null;
  readonly errors?: readonly SubgraphError[];
  /** Told beside the answer, whatever of it was selected: whoever answers the caller notes it as a security event. */
  readonly declined?: Declined;
  /**
   * Writes down whose data this answer holds, and resolves when that is durable: nothing of the answer may leave before. Called
   * once, by whoever answers: a subgraph of its own before it answers the gateway; in one process the gateway when all
   * subgraphs have answered, so that one commit carries the rows of an operation. What is given up is never written: nobody saw it.
   */
  readonly audit: () => Promise<void>;
}

/** The gateway's way to a subgraph: inside the process or over the signed hop. Neither side can tell which. */
export interface SubgraphDoor {
  readonly name: SubgraphName;
  execute(request: SubgraphRequest): Promise<SubgraphAnswer>;
}
