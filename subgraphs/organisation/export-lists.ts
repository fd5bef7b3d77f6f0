import { nodeIn, plainCells, textOf, type ExportKind } from '#kernel/exports/export-kind.ts';

export const workExport: ExportKind = {
  kind: 'WORK_ITEMS',
  word: 'work-items',
  list: 'workItems',
  filterType: 'WorkItemFilter',
  selection: 'id source kind subject field foundBy state raisedAt citizen { id } orgUnit { id }',
  order: 'id',
  cells: (node, unitCodes) => ({
    ...plainCells(node, {
      id: 'id',
      source: 'source',
      kind: 'kind',
      subject: 'subject',
      field: 'field',
      found_by: 'foundBy',
      state: 'state',
      raised_at: 'raisedAt',
    }),
    citizen_id: textOf(nodeIn(node, 'citizen'), 'id'),
    unit_code: unitCodes.get(textOf(nodeIn(node, 'orgUnit'), 'id') ?? '') ?? null,
  }),
};

const listed = (value: unknown): string | null => (Array.isArray(value) ? value.map(String).join(' ') : null);

export const auditExport: ExportKind = {
  kind: 'AUDIT',
  word: 'audit',
  list: 'auditEvents',
  filterType: 'AuditFilter',
  selection: 'id at principal principalName purpose basis action subgraph subjects fields operation traceId',
  order: 'latest',
  cells: (node) => ({
    ...plainCells(node, {
      at: 'at',
      principal: 'principal',
      principal_name: 'principalName',
      purpose: 'purpose',
      basis: 'basis',
      action: 'action',
      subgraph: 'subgraph',
      operation: 'operation',
      trace_id: 'traceId',
      id: 'id',
    }),
    subjects: listed(node.subjects),
    fields: listed(node.fields),
  }),
};
