import type { Caller } from '../auth/principal.ts';
import type { SubgraphName } from '../audit/audit.ts';

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

export interface SubgraphAnswer {
  readonly data: Record<string, unknown> | null;
  readonly errors?: readonly SubgraphError[];
  /**
   * Resolves when the reads of this answer are audited. In one process the gateway awaits it before the answer leaves, beside
   * the reads of the children; a subgraph of its own awaits it before it answers the gateway.
   */
  readonly audited: Promise<void>;
}

/** The gateway's way to a subgraph: inside the process or over the signed hop. Neither side can tell which. */
export interface SubgraphDoor {
  readonly name: SubgraphName;
  execute(request: SubgraphRequest): Promise<SubgraphAnswer>;
}
