import { parentPort, workerData } from 'node:worker_threads';
import { QueryPlanner, type QueryPlan } from '@apollo/query-planner';
import { Supergraph, operationFromDocument } from '@apollo/federation-internals';
import { parse } from 'graphql';

/* A thread that plans large documents, so that nobody else waits while it thinks. */

export interface PlanQuestion {
  readonly id: number;
  readonly query: string;
  readonly operationName: string | null;
}

export interface PlanAnswer {
  readonly id: number;
  /** `null`: not a document of this graph; the stock path says why. */
  readonly plan: QueryPlan | null;
}

const supergraph = Supergraph.build(workerData as string, { validateSupergraph: false });
const schema = supergraph.apiSchema();
const planner = new QueryPlanner(supergraph);

function answer({ id, query, operationName }: PlanQuestion): PlanAnswer {
  try {
    const options = operationName === null ? {} : { operationName };
    return { id, plan: planner.buildQueryPlan(operationFromDocument(schema, parse(query), options)) };
  } catch {
    return { id, plan: null };
  }
}

parentPort?.on('message', (question: PlanQuestion) => parentPort?.postMessage(answer(question)));
