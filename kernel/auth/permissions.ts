/**
 * The one literal list of what a role may do. A misspelt permission does not compile; a role that is not listed has none.
 * Authorization is decided in the service of each subgraph by {@link may}, never in the gateway.
 */
export const permissions = [
  'citizen:read',
  'citizen:write',
  'citizen:resolve-number', // exact number → citizen id, no field shown
  'discrepancy:read',
  'discrepancy:settle',
  'card:read',
  'card:write',
  'card:check',
  'result:read',
  'result:write',
  'slip:read',
  'slip:submit',
  'slip:enter',
  'unit:read',
  'unit:write',
  'work:read',
  'run:read',
  'run:start',
  'import:read',
  'import:send',
  'export:start', // and the right to read what it holds
  'account:read',
  'account:write',
  'client:read',
  'client:write',
  'audit:read',
  'setting:read',
] as const;
export type Permission = (typeof permissions)[number];

export const roles = ['steward', 'centre', 'clerk', 'auditor', 'integrator', 'hospital', 'reader', 'insurer', 'cli'] as const;
export type Role = (typeof roles)[number];

const operator = [
  'citizen:read',
  'citizen:write',
  'discrepancy:read',
  'card:read',
  'card:write',
  'result:read',
  'result:write',
  'slip:read',
  'slip:enter',
  'unit:read',
  'work:read',
  'run:read',
  'import:read',
  'export:start',
] as const satisfies readonly Permission[];

export const permissionsOf: Readonly<Record<Role, readonly Permission[]>> = {
  steward: [
    ...operator,
    'discrepancy:settle',
    'run:start',
    'import:send',
    'unit:write',
    'account:read',
    'account:write',
    'client:read',
    'client:write',
    'audit:read',
    'setting:read',
  ],
  centre: [...operator, 'discrepancy:settle', 'run:start', 'import:send', 'account:read'],
  clerk: [...operator, 'import:send'],
  auditor: ['audit:read', 'export:start', 'citizen:resolve-number', 'unit:read'],
  integrator: [
    'citizen:read',
    'discrepancy:read',
    'card:read',
    'result:read',
    'slip:read',
    'unit:read',
    'work:read',
    'run:read',
    'import:read',
    'export:start',
  ],
  hospital: ['slip:read', 'slip:submit', 'card:check', 'unit:read'],
  reader: ['citizen:read', 'unit:read'],
  insurer: ['card:read', 'unit:read'],
  cli: [
    ...operator,
    'discrepancy:settle',
    'run:start',
    'import:send',
    'unit:write',
    'account:read',
    'account:write',
    'client:read',
    'client:write',
    'audit:read',
    'setting:read',
  ],
};

/**
 * Kinds of record that a role may read only on a registered legal basis (`x-hub-basis`), e.g. an insurer that handles one
 * claim. The basis itself says for whom, from when and until when: `organisation.legal_basis`.
 */
export const onLegalBasis: Readonly<Partial<Record<Role, readonly Permission[]>>> = {
  insurer: ['citizen:read', 'result:read', 'slip:read'],
};
