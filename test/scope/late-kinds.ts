import type { Client } from 'pg';

/*
 * What the demonstration lacks and the graph shows: runs and files of every unit, accounts everywhere, work about cards, results and slips,
 * and a history of each kind of record.
 */

const uuidFrom = (text: string): string => `overlay(overlay(md5(${text}) placing '7' from 13) placing '8' from 17)::uuid`;
const known = `timestamptz '2026-11-10 03:00:00+00'`;
const by = `'schedule', 'schedule', 'GENERATE'`;

const histories = [
  `insert into citizens.change (citizen_id, unit_no, version, at, principal, principal_name, cause, action, before, after)
    select id, unit_no, 1, ${known}, ${by}, 'citizen.created', null, jsonb_build_object('fullName', full_name) from citizens.citizen`,
  `insert into insurance.change (record_id, citizen_id, unit_no, version, at, principal, principal_name, cause, action, before, after)
    select id, citizen_id, unit_no, 1, ${known}, ${by}, 'card.created', null, jsonb_build_object('number', number) from insurance.card`,
  `insert into results.change (record_id, citizen_id, unit_no, version, at, principal, principal_name, cause, action, before, after)
    select id, citizen_id, unit_no, 1, ${known}, ${by}, 'result.created', null, jsonb_build_object('name', name) from results.result`,
  ...['referral_slip', 'reexamination_slip'].map(
    (table) =>
      `insert into slips.change (record_id, citizen_id, unit_no, facility_no, version, at, principal, principal_name, cause, action, before, after)
        select id, citizen_id, unit_no, facility_no, 1, ${known}, ${by}, 'slip.created', null, jsonb_build_object('number', number) from slips.${table}`,
  ),
  `insert into organisation.change (record_id, unit_no, version, at, principal, principal_name, cause, action, before, after)
    select 'u' || number, number, 1, ${known}, ${by}, 'unit.created', null, jsonb_build_object('code', code, 'name', name) from hub.unit`,
];

const work = (source: string, table: string, kind: string, foundBy: string): string =>
  `insert into organisation.work_item (id, source, subject, kind, field, citizen_id, citizen_unit_no, unit_no, found_by, state, raised_at)
    select ${uuidFrom(`'${source}' || id::text`)}, '${source}', id, '${kind}', null, citizen_id, unit_no, unit_no, '${foundBy}', 'OPEN', ${known}
    from ${table} where citizen_id is not null order by id limit 120 on conflict do nothing`;

const ownWork = (schema: string, subject: string, table: string, place: string): string =>
  `insert into ${schema}.work (id, ${subject}, citizen_id, ${place}, kind, found_by)
    select ${uuidFrom(`'work' || id::text`)}, id, citizen_id, ${place}, 'DOUBLE', 'IMPORT' from ${table} where citizen_id is not null order by id limit 120`;

const statements = [
  ...histories,
  work('INSURANCE', 'insurance.card', 'OVERLAP', 'CARDS'),
  work('RESULTS', 'results.result', 'RESULT_CONFLICT', 'IMPORT'),
  work('SLIPS', 'slips.referral_slip', 'SLIP_CONFLICT', 'SLIPS'),
  `insert into hub.run (id, kind, state, unit_no, subgraph, started_by, total, done, refused, counts, created_at, started_at, ended_at)
    select ${uuidFrom(`k.kind || number::text`)}, k.kind, 'DONE', number, 'citizens', 'schedule', 3, 2, 1, '{"added": 2}', ${known}, ${known}, ${known}
    from hub.unit, unnest(array['RECONCILE', 'IMPORT', 'EXPORT']) as k(kind)`,
  `insert into organisation.work_item (id, source, subject, kind, unit_no, found_by, state, raised_at)
    select ${uuidFrom(`'poison' || id::text`)}, 'JOBS', id, 'POISON', unit_no, 'IMPORT', 'OPEN', ${known} from hub.run where kind = 'IMPORT'`,
  `insert into hub.import_file (id, kind, unit_no, sender, sender_name, file_name, state, separator, headings, places, total, run_id)
    select ${uuidFrom(`'file' || number::text`)}, 'CITIZENS', number, 'schedule', 'schedule', 'danh-sach.csv', 'APPLIED', ',',
      '["full_name"]', '{"full_name": 0}', 2, ${uuidFrom(`'IMPORT' || number::text`)} from hub.unit`,
  `insert into hub.import_row (import_id, line, unit_no, state, cells, problem)
    select f.id, l.line, f.unit_no, case l.line when 2 then 'ADDED' else 'REFUSED' end, '["Nguyễn Văn An"]',
      case l.line when 2 then null else '[{"field": "full_name", "reason": "FIELD_REQUIRED"}]'::jsonb end
    from hub.import_file f, unnest(array[2, 3]) as l(line)`,
  `insert into hub.export_file (id, kind, format, unit_no, sender, sender_name, run_id)
    select ${uuidFrom(`'export' || number::text`)}, 'CITIZENS', 'CSV', number, 'schedule', 'schedule', ${uuidFrom(`'EXPORT' || number::text`)}
    from hub.unit`,
  `insert into organisation.account (id, login, name, unit_no, role)
    select ${uuidFrom(`'account' || number::text`)}, 'nguoi' || number, 'Cán bộ ' || number, number, 'clerk' from hub.unit`,
  `insert into hub.run_page (run_id, no, unit_no, state) select id, 1, unit_no, 'DONE' from hub.run`,
  `insert into citizens.verification (id, citizen_id, unit_no, field, outcome, source, checked_at)
    select ${uuidFrom(`'verified' || id::text`)}, id, unit_no, 'FULL_NAME', 'MATCH', 'POPULATION', ${known} from citizens.citizen order by id limit 400`,
  ownWork('results', 'result_id', 'results.result', 'unit_no'),
  ownWork('slips', 'slip_id', 'slips.referral_slip', 'unit_no'),
  `insert into organisation.client (id, name, unit_no, role, secret_hashes) select 'may-' || number, 'Máy ' || number, number, 'reader', '{-}' from hub.unit`,
  `insert into organisation.legal_basis (id, client_id, ground, permissions, unit_no, valid_from, created_by)
    select 'can-cu-' || number, 'may-' || number, 'Thử', '{card:read}', number, ${known}, 'schedule' from hub.unit`,
];

/** `owner` stands in the scope of maintenance. */
export async function addLateKinds(owner: Client): Promise<void> {
  for (const statement of statements) await owner.query(statement);
}
