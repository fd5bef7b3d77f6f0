import type { Caller } from '../auth/principal.ts';
import type { AuditAction } from './actions.ts';
import type { SubgraphName } from './audit.ts';

/** What a change, or a page of an import, writes down in its own transaction. */
export interface AuditNote {
  readonly action: AuditAction;
  readonly subjects: readonly string[];
  readonly fields: readonly string[];
  /** Ids and words of ours, never a value of a person. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** The statement that writes it down in the caller's name. */
export function auditRow(
  subgraph: SubgraphName,
  { principal, purpose, basis, operation, traceId }: Caller,
  { action, subjects, fields, detail }: AuditNote,
): { readonly text: string; readonly values: readonly unknown[] } {
  return {
    text: `insert into hub.audit_event (principal, principal_kind, principal_name, role, unit_no, purpose, basis, action, subgraph, subjects,
         fields, subject_count, operation, trace_id, detail)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::uuid[], $11::text[], $12, $13, $14, $15::jsonb)`,
    values: [
      principal.id,
      principal.kind,
      principal.name,
      principal.role,
      principal.unitNo,
      purpose,
      basis?.id ?? null,
      action,
      subgraph,
      subjects,
      [...fields].sort(),
      subjects.length,
      operation,
      traceId,
      detail === undefined ? null : JSON.stringify(detail),
    ],
  };
}
