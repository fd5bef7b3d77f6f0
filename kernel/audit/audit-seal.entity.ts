import { defineEntity, p } from '@mikro-orm/postgresql';
import { instant, learnedAt, oneOf } from '../db/column-types.ts';
import { headKinds } from './heads.ts';

/* Seals of the audit: written by the sealer alone, never changed. */

/** The hash of one audit row; partitions by month, dropped together with the rows. */
const AuditSealSchema = defineEntity({
  name: 'AuditSeal',
  schema: 'hub',
  tableName: 'audit_seal',
  readonly: true,
  properties: {
    at: instant().primary(),
    id: p.uuid().primary(),
    head: p.bigint(),
    no: p.integer(),
    hash: p.blob(),
  },
});

/** One link of the chain. */
const AuditHeadSchema = defineEntity({
  name: 'AuditHead',
  schema: 'hub',
  tableName: 'audit_head',
  readonly: true,
  properties: {
    no: p.bigint().primary().autoincrement(false),
    line: p.uuid(),
    kind: p.text().$type<(typeof headKinds)[number]>(),
    at: instant(),
    fromAt: instant().nullable(),
    toAt: instant().nullable(),
    rows: p.integer(),
    batchHash: p.blob(),
    detail: p.json<unknown>().defaultRaw(`'{}'::jsonb`),
    previous: p.blob(),
    head: p.blob(),
    keyId: p.text(),
    signature: p.blob(),
  },
  checks: [oneOf('audit_head_kind', 'kind', headKinds)],
});

/** How far the sealer is; one row. */
const AuditSealerSchema = defineEntity({
  name: 'AuditSealer',
  schema: 'hub',
  tableName: 'audit_sealer',
  readonly: true,
  properties: {
    only: p.boolean().primary().default(true),
    sealedTo: instant().nullable(),
    passedAt: learnedAt(),
    excusedUntil: learnedAt(),
    sweptAt: learnedAt(),
  },
  checks: [{ name: 'audit_sealer_only', expression: 'only' }],
});

export const sealEntities = [AuditSealSchema, AuditHeadSchema, AuditSealerSchema];
