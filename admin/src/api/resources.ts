import { documents } from './documents.ts';

/*
 * The resources of the admin: what each is in the graph, and which right opens it. A filter of a list is flat: choices that may stand
 * in an address, and `text`, which may not.
 */

export const resourceNames = [
  'citizens',
  'cards',
  'results',
  'referrals',
  'reexaminations',
  'discrepancies',
  'work',
  'runs',
  'imports',
  'units',
  'accounts',
  'clients',
  'queues',
  'settings',
  'audit',
] as const;
export type ResourceName = (typeof resourceNames)[number];

export type Filter = Readonly<Record<string, string>>;

export interface Source {
  readonly list: string;
  readonly count: string;
  readonly one: string | null;
  readonly filter: (filter: Filter) => Readonly<Record<string, unknown>> | null;
}

/** What a role must have to open a resource; whatever is not named here is closed. */
export const rightOf: Readonly<Record<ResourceName, string>> = {
  citizens: 'citizen:read',
  cards: 'card:read',
  results: 'result:read',
  referrals: 'slip:read',
  reexaminations: 'slip:read',
  discrepancies: 'discrepancy:read',
  work: 'work:read',
  runs: 'run:read',
  imports: 'import:read',
  units: 'unit:read',
  accounts: 'account:read',
  clients: 'client:read',
  queues: 'run:start',
  settings: 'setting:read',
  audit: 'audit:read',
};

/** Takes the named choices over under the graph's own names; empty ones are no condition. */
function named(filter: Filter, names: Readonly<Record<string, string>>): Record<string, unknown> {
  const taken: Record<string, unknown> = {};
  for (const [ours, theirs] of Object.entries(names)) {
    const value = filter[ours];
    if (value !== undefined && value !== '') taken[theirs] = value;
  }
  return taken;
}

/** Midnight in Vietnam at which a day begins: the country has one zone and no summer time. */
function startOfDay(day: string): string {
  return `${day}T00:00:00+07:00`;
}

function auditFilter(filter: Filter): Record<string, unknown> {
  const taken = named(filter, { person: 'person', principal: 'principal', unit: 'unit', action: 'action' });
  if (filter.from) taken.from = startOfDay(filter.from);
  if (filter.to) taken.to = new Date(Date.parse(startOfDay(filter.to)) + 86_400_000).toISOString();
  return taken;
}

const slipFilter = (filter: Filter): Record<string, unknown> =>
  named(filter, {
    text: 'number',
    facility: 'facility',
    status: 'status',
    from: 'issuedFrom',
    to: 'issuedTo',
    citizen: 'citizen',
  });
const workFilter = { state: 'state', kind: 'kind', field: 'field', foundBy: 'foundBy', citizen: 'citizen', unit: 'orgUnit' };

export const sources: Readonly<Record<Exclude<ResourceName, 'units' | 'queues' | 'settings'>, Source>> = {
  citizens: {
    list: documents.Citizens,
    count: documents.CountCitizens,
    one: documents.Citizen,
    filter: (filter) => ({
      ...named(filter, { text: 'text', unit: 'orgUnit', lifeStatus: 'lifeStatus', bornFrom: 'bornFrom', bornTo: 'bornTo' }),
      // A field alone or a state alone says nothing yet.
      ...(filter.field && filter.status ? { fieldStatus: { field: filter.field, status: filter.status } } : {}),
    }),
  },
  cards: {
    list: documents.Cards,
    count: documents.CountCards,
    one: documents.Card,
    filter: (filter) =>
      named(filter, {
        text: 'number',
        status: 'status',
        issuer: 'issuer',
        validOn: 'validOn',
        unit: 'orgUnit',
        citizen: 'citizen',
      }),
  },
  results: {
    list: documents.Results,
    count: documents.CountResults,
    one: documents.Result,
    filter: (filter) =>
      named(filter, {
        text: 'code',
        kind: 'kind',
        state: 'state',
        fileState: 'fileState',
        from: 'issuedFrom',
        to: 'issuedTo',
        unit: 'orgUnit',
        citizen: 'citizen',
      }),
  },
  referrals: { list: documents.Referrals, count: documents.CountReferrals, one: documents.Referral, filter: slipFilter },
  reexaminations: {
    list: documents.Reexaminations,
    count: documents.CountReexaminations,
    one: documents.Reexamination,
    filter: slipFilter,
  },
  discrepancies: {
    list: documents.Discrepancies,
    count: documents.CountDiscrepancies,
    one: null,
    filter: (filter) => named(filter, workFilter),
  },
  work: {
    list: documents.WorkItems,
    count: documents.CountWorkItems,
    one: null,
    filter: (filter) => named(filter, { ...workFilter, source: 'source' }),
  },
  runs: { list: documents.Runs, count: documents.CountRuns, one: null, filter: () => null },
  imports: { list: documents.Imports, count: documents.CountImports, one: null, filter: () => null },
  accounts: {
    list: documents.Accounts,
    count: documents.CountAccounts,
    one: documents.Account,
    filter: (filter) => ({
      ...named(filter, { text: 'text', unit: 'orgUnit', role: 'role' }),
      ...(filter.disabled ? { disabled: filter.disabled === 'yes' } : {}),
    }),
  },
  clients: { list: documents.Clients, count: documents.CountClients, one: null, filter: () => null },
  audit: { list: documents.AuditEvents, count: documents.CountAuditEvents, one: null, filter: auditFilter },
};
