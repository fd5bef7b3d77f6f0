import { defineEntity, p } from '@mikro-orm/postgresql';
import { learnedAt, oneOf } from '../db/column-types.ts';

/**
 * Who read or changed whose data, what, why, when. Only ever inserted; partitions by month, made ahead by
 * `hub.make_audit_partitions`.
 */
export const AuditEventSchema = defineEntity({
  name: 'AuditEvent',
  schema: 'hub',
  tableName: 'audit_event',
  readonly: true,
  properties: {
    at: learnedAt().primary(),
    id: p.uuid().primary().defaultRaw('uuidv7()'),
    principal: p.text(),
    principalKind: p.text().$type<'ACCOUNT' | 'CLIENT' | 'CLI'>(),
    principalName: p.text(),
    role: p.text(),
    unitNo: p.integer(),
    purpose: p.text(),
    basis: p.text().nullable(),
    action: p.text(),
    subgraph: p.text(),
    subjects: p.array().columnType('uuid[]'),
    fields: p.array().columnType('text[]').defaultRaw(`'{}'::text[]`),
    subjectCount: p.integer(),
    operation: p.text(),
    traceId: p.text(),
    detail: p.json<unknown>().nullable(),
  },
  indexes: [
    { name: 'audit_event_principal', properties: ['principal', 'at'] },
    { name: 'audit_event_taken', properties: ['principal', 'at'], where: `action = 'citizen.number-taken'::text` },
    { name: 'audit_event_subjects', properties: ['subjects'], type: 'gin' },
    { name: 'audit_event_at', properties: ['at'], type: 'brin' },
  ],
  checks: [oneOf('audit_event_principal_kind', 'principal_kind', ['ACCOUNT', 'CLIENT', 'CLI'])],
});
