import type { HubRole } from '#kernel/db/roles.ts';

/*
 * Who may touch which table. A role has nothing that is not listed here; the migration takes everything away and gives exactly
 * this. Nobody updates or deletes an audit row; rows of people are deleted by the retention of the owner alone.
 */

type Privilege = 'select' | 'insert' | 'update' | 'delete';
/** Privileges on the whole table, or on the named columns only. */
export type TableGrant = readonly (Privilege | { readonly select: readonly string[] } | { readonly insert: readonly string[] })[];

const keep: TableGrant = ['select', 'insert', 'update'];
const add: TableGrant = ['select', 'insert'];
const read: TableGrant = ['select'];
/** Id, time and place in the commit order are the database's to give. */
const tell: TableGrant = [{ insert: ['kind', 'subject', 'version', 'unit_before', 'unit_after', 'payload'] }];
const full: TableGrant = ['select', 'insert', 'update', 'delete'];

/** Whoever brings a kind of file reads, stages and applies its rows. */
function importing(grant: TableGrant): Readonly<Partial<Record<HubRole, TableGrant>>> {
  return { citizens: grant, insurance: grant, results: grant, organisation: grant };
}

export const tableGrants: Readonly<Record<string, Readonly<Partial<Record<HubRole, TableGrant>>>>> = {
  'hub.unit': {
    citizens: read,
    insurance: read,
    results: read,
    slips: read,
    organisation: keep,
    reader: read,
    auditor: read,
    worker: read,
  },
  'hub.audit_event': {
    citizens: ['insert'],
    insurance: ['insert'],
    results: ['insert'],
    slips: ['insert'],
    organisation: ['insert'],
    reader: ['insert'],
    auditor: ['select', 'insert'],
    sealer: read,
  },
  // Nobody changes a seal or a head once it stands; the auditor verifies.
  'hub.audit_seal': { sealer: add, auditor: read },
  'hub.audit_head': { sealer: add, auditor: read },
  'hub.audit_sealer': { sealer: ['select', 'update'], auditor: read },
  'hub.outbox': {
    citizens: tell,
    insurance: tell,
    results: tell,
    slips: tell,
    organisation: tell,
    worker: read,
  },
  'hub.outbox_consumer': { worker: read },
  'hub.outbox_done': { worker: read },
  'hub.import_file': { ...importing(keep), reader: read },
  'hub.import_row': {
    ...importing(keep),
    reader: [{ select: ['import_id', 'line', 'unit_no', 'state', 'planned', 'problem'] }],
  },
  'hub.export_file': {
    citizens: keep,
    insurance: keep,
    results: keep,
    slips: keep,
    organisation: keep,
    // Not the filter: what somebody searched by is shown to nobody.
    reader: [
      { select: ['id', 'version', 'kind', 'format', 'unit_no', 'sender', 'run_id', 'rows', 'stored_as', 'bytes', 'expires_at'] },
    ],
  },
  'hub.used_link': { organisation: ['select', 'insert', 'delete'] },
  'hub.run': { organisation: read, reader: read },
  'hub.run_page': { organisation: read, reader: read },
  'hub.schedule': { worker: read },
  'hub.queue_seen': { organisation: read, reader: read, worker: read },

  'citizens.citizen': { citizens: keep, reader: read },
  'citizens.identifier': { citizens: keep, reader: read },
  'citizens.name_key': { citizens: full, reader: read },
  'citizens.verification': { citizens: keep, reader: read },
  'citizens.discrepancy': { citizens: keep, reader: read },
  'citizens.change': { citizens: keep, reader: read },
  'citizens.idempotency': { citizens: add },
  'citizens.outside_calls': { citizens: keep },

  'insurance.citizen': { insurance: keep, reader: read },
  'insurance.citizen_hash': { insurance: full },
  'insurance.card': { insurance: keep, reader: read },
  'insurance.work': { insurance: keep, reader: read },
  'insurance.change': { insurance: keep, reader: read },
  'insurance.idempotency': { insurance: add },

  'results.citizen': { results: keep, reader: read },
  'results.citizen_hash': { results: full },
  'results.result': { results: keep, reader: read },
  'results.work': { results: keep, reader: read },
  'results.change': { results: keep, reader: read },
  'results.idempotency': { results: add },

  'slips.citizen': { slips: keep, reader: read },
  'slips.citizen_hash': { slips: full },
  'slips.document': { slips: add },
  'slips.referral_slip': { slips: keep, reader: read },
  'slips.reexamination_slip': { slips: keep, reader: read },
  'slips.work': { slips: keep, reader: read },
  'slips.change': { slips: keep, reader: read },
  'slips.idempotency': { slips: add },

  // The reader serves the graph: no password, secret or key is among its columns.
  'organisation.account': {
    organisation: keep,
    reader: [
      {
        select: [
          ...['id', 'version', 'login', 'name', 'email', 'unit_no', 'role', 'disabled_at', 'created_at'],
          ...['must_change_password', 'second_factor', 'last_seen_at'],
        ],
      },
    ],
  },
  'organisation.client': {
    organisation: keep,
    reader: [
      {
        select: ['id', 'version', 'name', 'unit_no', 'role', 'default_purpose', 'points_per_minute', 'revoked_at', 'created_at'],
      },
    ],
  },
  'organisation.legal_basis': { organisation: keep, reader: read },
  'organisation.signing_key': { organisation: full },
  'organisation.oidc_payload': { organisation: full },
  'organisation.session': { organisation: full },
  'organisation.draft': { organisation: full },
  'organisation.security_event': { organisation: add },
  'organisation.work_item': { organisation: keep, reader: read },
  'organisation.change': { organisation: keep, reader: read },
  'organisation.idempotency': { organisation: add },
};

const subgraphs = ['citizens', 'insurance', 'results', 'slips', 'organisation'] as const satisfies readonly HubRole[];
const everyone = [...subgraphs, 'reader', 'auditor', 'worker', 'sealer'] as const satisfies readonly HubRole[];

export const functionGrants: Readonly<Record<string, readonly HubRole[]>> = {
  'hub.fold(text)': everyone,
  'hub.audit_months()': ['sealer'],
  'hub.drop_audit_month(date)': ['sealer'],
  'hub.settle_audit_index()': ['sealer'],
  'hub.sealing_lag()': ['organisation', 'reader'],
  'hub.sealing_overdue()': subgraphs,
  'hub.make_audit_partitions(int)': ['organisation', 'worker'],
  'hub.take_event(text, int)': [...subgraphs, 'worker'],
  'hub.finish_event(text, bigint[])': [...subgraphs, 'worker'],
  'hub.outbox_lag(text)': [...subgraphs, 'worker'],
  'hub.run_open(uuid, text, text, int, text, jsonb, int)': subgraphs,
  'hub.run_progress(uuid, int, int, jsonb)': subgraphs,
  'hub.run_close(uuid, text, jsonb)': subgraphs,
  'hub.run_go_on(uuid)': subgraphs,
  'hub.run_pause(uuid)': subgraphs,
  'hub.run_add(uuid, int, int, jsonb)': subgraphs,
  'hub.prune_imports(int, int)': ['worker'],
  'hub.open_run(uuid, text, text, text, text, int, text, jsonb, jsonb, timestamptz)': [...subgraphs, 'worker'],
  'hub.add_pages(uuid, int, jsonb[], int[])': subgraphs,
  'hub.finish_page(uuid, int, int, int, int, jsonb)': subgraphs,
  'hub.finish_plan(uuid, int)': ['worker'],
  'hub.claim_pages(text[], int, uuid)': ['worker'],
  'hub.queued_pages(text[], double precision)': ['worker'],
  'hub.unqueue_pages(uuid[], int[], int[])': ['worker'],
  'hub.lapse_pages()': ['worker'],
  'hub.lease_page(uuid, int, double precision)': ['worker'],
  'hub.renew_page(uuid, int, int, double precision)': ['worker'],
  'hub.return_page(uuid, int, int, text, double precision, boolean)': ['worker'],
  'hub.refuse_page(uuid, int, int, text)': ['worker'],
  'hub.end_run(uuid, int, jsonb)': ['worker'],
  'hub.order_run(uuid, int, text)': ['organisation', 'worker'],
  'hub.keep_schedule(text, text, int)': ['worker'],
  'hub.slot_due(text, text, int)': ['worker'],
  'hub.take_slot(text, timestamptz)': ['worker'],
  'hub.note_queue(text, text, boolean, int, int)': ['worker'],
  'hub.note_refused_job(text, text)': ['worker'],
  'hub.queue_numbers()': ['organisation', 'reader', 'worker'],
  'hub.principal_now(text, text)': ['worker'],
  'hub.prune(text, int, int)': ['worker'],
  'hub.note_sweep(timestamptz, jsonb)': ['worker'],
  'hub.principal_stands(text, text, text, int)': subgraphs,
  'hub.begin_change(text, text, text, text, text, int, text, text)': subgraphs,
  'hub.lowest_unit_above(int[])': ['insurance'],
  'insurance.tell_work(insurance.work, int, int)': ['insurance'],
  'insurance.keep_overlaps(uuid[])': ['insurance'],
  'insurance.keep_duplicates(text[])': ['insurance'],
  'insurance.keep_card_work(uuid[], text[])': ['insurance'],
  'organisation.unit_holds(int)': ['organisation'],
  'citizens.raise_two_holders(text[])': ['citizens'],
  'citizens.confirm_numbers(uuid[], text[], text)': ['citizens'],
  'citizens.number_holders(text, text, uuid)': ['citizens'],
  'citizens.hand_over_discrepancy(uuid, int)': ['citizens'],
};

export const sequenceGrants: Readonly<Record<string, readonly HubRole[]>> = { 'hub.unit_number': ['organisation'] };

/** Who follows the outbox, and which kinds of event it is for. */
export const outboxConsumers: Readonly<Record<string, { readonly role: HubRole; readonly kinds: readonly string[] }>> = {
  insurance: { role: 'insurance', kinds: ['CITIZEN'] },
  results: { role: 'results', kinds: ['CITIZEN'] },
  slips: { role: 'slips', kinds: ['CITIZEN'] },
  organisation: { role: 'organisation', kinds: ['WORK', 'CITIZEN'] },
};

/** Settings that bind a role wherever it logs in; times in milliseconds. A hung process must not hold the outbox's horizon. */
export const roleSettings: Readonly<Record<HubRole, Readonly<Record<string, string>>>> = {
  citizens: writing(),
  insurance: writing(),
  results: writing(),
  slips: writing(),
  organisation: writing(),
  worker: writing(),
  reader: reading(),
  auditor: reading(),
  sealer: writing(),
};

function writing(): Readonly<Record<string, string>> {
  return {
    statement_timeout: '15000',
    lock_timeout: '3000',
    idle_in_transaction_session_timeout: '10000',
    timezone: 'UTC',
    jit: 'off',
  };
}

function reading(): Readonly<Record<string, string>> {
  return { ...writing(), statement_timeout: '5000' };
}

/** The privilege that a grant gives, and on which columns (`null`: all). */
export function privilegeOf(grant: TableGrant[number]): {
  readonly privilege: Privilege;
  readonly columns: readonly string[] | null;
} {
  if (typeof grant === 'string') return { privilege: grant, columns: null };
  return 'select' in grant ? { privilege: 'select', columns: grant.select } : { privilege: 'insert', columns: grant.insert };
}
