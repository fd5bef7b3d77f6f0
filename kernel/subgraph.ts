import type { EntitySchema } from '@mikro-orm/postgresql';
import type { AuditAction } from './audit/actions.ts';
import type { SubgraphName } from './audit/audit.ts';
import type { Caller } from './auth/principal.ts';
import type { Clock } from './clock.ts';
import type { SettingInForce } from './config-in-force.ts';
import type { Changes } from './db/change.ts';
import type { Declined } from './graph/subgraph-call.ts';
import type { ReadDoor } from './db/read-door.ts';
import type { Job } from './jobs/define-job.ts';
import type { ExportKind } from './exports/export-kind.ts';
import type { ImportKind } from './imports/import-kind.ts';

/** What a subgraph is given; everything else it makes itself. */
export interface SubgraphDeps {
  /** Reads: under both locks, one statement per entity type and level. */
  readonly door: ReadDoor;
  /** Reads of the audit under the auditor's role; organisation alone has it. */
  readonly auditor?: ReadDoor;
  /** Mutations, under the subgraph's own role. Absent where nothing is written, e.g. in a subgraph that only reads. */
  readonly changes?: Changes;
  readonly clock: Clock;
  /** Where files are sent to and taken from, `http://host:port`; absent or `null`: this process knows of no such place. */
  readonly filesOrigin?: string | null;
  /** The settings that this process has; organisation alone shows them. */
  readonly settings?: () => readonly SettingInForce[];
  /** Secret of this installation for keyed hashes of identifiers (32 bytes). */
  readonly identifierKey: Buffer;
}

/**
 * One operation of one caller inside one subgraph. Resolvers note whose data they return; whoever runs the operation commits
 * the notes as one audit row and lets the answer go only after that.
 */
export interface Call {
  readonly caller: Caller;
  /** Notes a person (or a record without person) whose data go into the answer. */
  note(action: AuditAction, subject: string): void;
  /** Notes a sum that goes into the answer without those whom it counts; `question` is a fingerprint of list and filter. */
  counted(action: AuditAction, question: string, count: number): void;
  /** Notes that the operation, a mutation, was refused. */
  decline(declined: Declined): void;
}

/** The value that every resolver of the subgraph gets as its context: the call, and whatever loaders the subgraph adds to it. */
export interface SubgraphContext {
  readonly call: Call;
}

export type TypeResolvers = Readonly<Record<string, unknown>>;

export interface OpenSubgraph {
  /** `Type → field → resolver`, with `__resolveReference` where the type is an entity. Plain properties need none. */
  readonly resolvers: Readonly<Record<string, TypeResolvers>>;
  /** Context of one operation: fresh loaders, nothing shared between callers. */
  context(call: Call): SubgraphContext;
  close(): Promise<void>;
}

/** The only door of a subgraph's folder (`index.ts`). */
export interface SubgraphModule {
  readonly name: SubgraphName;
  /** `schema.graphql` of the subgraph. */
  readonly schema: URL;
  /** Tables that its mutations write; absent: it has none. Whoever opens it gives it `changes` made of them. */
  readonly entities?: readonly EntitySchema[];
  /** Kinds of file that it takes in. */
  readonly imports?: readonly ImportKind[];
  /** Lists of it that go out as files. */
  readonly exports?: readonly ExportKind[];
  /** Its background work; which worker runs it, and when, is not its business. */
  readonly jobs?: readonly Job[];
  open(deps: SubgraphDeps): OpenSubgraph;
}
