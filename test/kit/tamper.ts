import type { Client } from 'pg';
import type { ProblemKind } from '#kernel/audit/verify.ts';
import type { Random } from '#kernel/synthetic/random.ts';

/* What the owner of the tables can do to sealed rows of the audit. Each says what the verifier has to name first. */

export interface Tampered {
  readonly how: string;
  readonly kind: ProblemKind;
  /** Of the first bad row; `null`: the verifier names the batch. */
  readonly id: string | null;
}

interface Place {
  readonly at: string;
  readonly id: string;
}

/** A row of the last minute that has no seal yet is what every row is at first: nobody can say that it was not written then. */
const settled = `(select s.at::text as at, s.id::text as id from hub.audit_seal s where s.at < clock_timestamp() - interval '2 minutes'
  order by s.at, s.id)`;
const sealed = `(select s.at::text as at, s.id::text as id from hub.audit_seal s order by s.at, s.id)`;

async function placeAt(client: Client, random: Random, among = sealed): Promise<Place> {
  const { rows } = await client.query<{ count: number }>(`select count(*)::int as count from ${among} x`);
  const at = random.below(rows[0]?.count ?? 1);
  const found = await client.query<Place>(`select * from ${among} x offset $1 limit 1`, [at]);
  const [place] = found.rows;
  if (place === undefined) throw new Error('Nothing is sealed.');
  return place;
}

const edits = [
  `principal = principal || 'x'`,
  `principal_name = 'ai đó khác'`,
  `purpose = 'HRESCH'`,
  `subjects = array_append(subjects, gen_random_uuid())`,
  `subjects = subjects[2:]`,
  `fields = '{}'`,
  `unit_no = unit_no + 1`,
  `detail = coalesce(detail, '{}') || '{"more": 1}'`,
  `trace_id = ''`,
  `operation = operation || ' '`,
  `basis = 'none'`,
];

type Act = (client: Client, random: Random) => Promise<Tampered>;

const edit: Act = async (client, random) => {
  const { at, id } = await placeAt(client, random);
  const change = edits[random.below(edits.length)] ?? '';
  // An edit that takes nothing away from an empty list is none.
  const { rowCount } = await client.query(
    `with before as (select to_jsonb(e) as row from hub.audit_event e where at = $1 and id = $2)
     update hub.audit_event e set ${change} from before where at = $1 and id = $2`,
    [at, id],
  );
  const { rows } = await client.query<{ same: boolean }>(
    `select subjects = '{}' and $3 as same from hub.audit_event where at = $1 and id = $2`,
    [at, id, change.startsWith('subjects = subjects[')],
  );
  if (rowCount === 1 && rows[0]?.same === true)
    await client.query(`update hub.audit_event set role = 'steward' where at = $1 and id = $2`, [at, id]);
  return { how: `edit ${change}`, kind: 'EDITED', id };
};

const remove: Act = async (client, random) => {
  const { at, id } = await placeAt(client, random);
  await client.query('delete from hub.audit_event where at = $1 and id = $2', [at, id]);
  return { how: 'delete', kind: 'DELETED', id };
};

const columns = `principal, principal_kind, principal_name, role, unit_no, purpose, basis, action, subgraph, subjects, fields, subject_count,
  operation, trace_id, detail`;

/** Copies a sealed row to a moment beside it, as if it had been written then. */
const insert: Act = async (client, random) => {
  const { at, id } = await placeAt(client, random, settled);
  const { rows } = await client.query<{ id: string }>(
    `insert into hub.audit_event (id, at, ${columns})
     select gen_random_uuid(), at + interval '3 microseconds', ${columns} from hub.audit_event where at = $1 and id = $2 returning id::text`,
    [at, id],
  );
  return { how: 'insert', kind: 'INSERTED', id: rows[0]?.id ?? null };
};

const insertWithSeal: Act = async (client, random) => {
  const { id } = await insert(client, random);
  await client.query(
    `insert into hub.audit_seal (at, id, head, no, hash) select at, id, 1000000 + $2::int, 1, sha256('x') from hub.audit_event where id = $1`,
    [id, random.below(1000)],
  );
  return { how: 'insert with a seal of no head', kind: 'INSERTED', id };
};

/** Who read what is exchanged between two rows. */
const swap: Act = async (client, random) => {
  const [one, other] = [await placeAt(client, random), await placeAt(client, random)];
  if (one.id === other.id) return remove(client, random);
  await client.query(
    `update hub.audit_event e set (${columns}) = (select ${columns} from hub.audit_event o
       where (o.at, o.id) = (case when e.id = $2 then $3::timestamptz else $1::timestamptz end, case when e.id = $2 then $4::uuid else $2::uuid end))
     where (e.at, e.id) in (($1, $2), ($3, $4))`,
    [one.at, one.id, other.at, other.id],
  );
  const { rows } = await client.query<{ id: string }>(
    'select id::text from hub.audit_event where (at, id) in (($1, $2), ($3, $4)) order by at, id limit 1',
    [one.at, one.id, other.at, other.id],
  );
  return { how: 'swap', kind: 'EDITED', id: rows[0]?.id ?? null };
};

const truncate: Act = async (client) => {
  const { rows } = await client.query<Place>(`select * from ${sealed} x limit 1`);
  await client.query('truncate hub.audit_event');
  return { how: 'truncate', kind: 'DELETED', id: rows[0]?.id ?? null };
};

/** The forger knows of the seals and writes them anew: their batch is what is named. */
const editWithSeal: Act = async (client, random) => {
  const { at, id } = await placeAt(client, random);
  await client.query(`update hub.audit_event set purpose = 'HRESCH' where at = $1 and id = $2`, [at, id]);
  await client.query(`update hub.audit_seal set hash = sha256('anything') where at = $1 and id = $2`, [at, id]);
  return { how: 'edit with the seal', kind: 'SEALS_CHANGED', id: null };
};

const deleteWithSeal: Act = async (client, random) => {
  const { at, id } = await placeAt(client, random);
  await client.query('delete from hub.audit_event where at = $1 and id = $2', [at, id]);
  await client.query('delete from hub.audit_seal where at = $1 and id = $2', [at, id]);
  return { how: 'delete with the seal', kind: 'SEALS_CHANGED', id: null };
};

export const tamperings: readonly Act[] = [
  edit,
  edit,
  remove,
  insert,
  insertWithSeal,
  swap,
  truncate,
  editWithSeal,
  deleteWithSeal,
];
