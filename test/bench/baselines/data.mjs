/* What all baselines share: the tables, the rules of the graph, and how a program says that it is ready. */
import pg from 'pg';

export const databaseUrl = process.env.BENCH_DATABASE_URL;

// Days stay text in every program, as in the graph.
pg.types.setTypeParser(1082, (text) => text);

export function openPool(max) {
  return new pg.Pool({ connectionString: databaseUrl, max });
}

const fields = [
  'FULL_NAME',
  'OLD_ID_NUMBER',
  'PERSONAL_ID',
  'DATE_OF_BIRTH',
  'PHONE',
  'GENDER',
  'BIRTHPLACE',
  'EMAIL',
  'NATIVE_PLACE',
  'PERMANENT_ADDRESS',
];
const stateOf = { G: 'GREEN', Y: 'YELLOW', R: 'RED' };

export function fieldStatuses(states) {
  return fields.map((field, index) => ({ field, status: stateOf[states[index]] }));
}

/** The day in Vietnam, which has no summer time. */
export function today() {
  return new Date(Date.now() + 7 * 3_600_000).toISOString().slice(0, 10);
}

/** The card that counts today; `cards` come with the latest beginning first, then by id. */
export function cardInForce(cards) {
  const day = today();
  for (const standing of ['ACTIVE', 'UNVERIFIED']) {
    let best = null;
    for (const card of cards) {
      if (card.status !== standing || card.validFrom === null || card.validFrom > day) continue;
      if (card.validTo !== null && card.validTo < day) continue;
      if (best === null) best = card;
      else if (
        card.validFrom === best.validFrom &&
        (card.validTo === null || (best.validTo !== null && card.validTo > best.validTo))
      )
        best = best.validTo === null ? best : card;
    }
    if (best !== null) return best;
  }
  return null;
}

export const lowestId = '00000000-0000-0000-0000-000000000000';
export const encodeCursor = (id) => Buffer.from(id).toString('base64url');
export const decodeCursor = (cursor) => (cursor == null ? lowestId : Buffer.from(cursor, 'base64url').toString());

const citizenColumns = `c.id, c.full_name as "fullName", c.life_status as "lifeStatus", c.unit_no as "unitNo",
  c.date_of_birth as "dateOfBirth", c.birth_precision as "birthPrecision", c.gender, c.phone, c.states`;

/** One statement per kind of record and level. `withUnit` joins the unit, where no other subgraph answers it. */
export const statements = {
  citizensAfter: `select ${citizenColumns} from citizens.citizen c where c.id > $1 and c.life_status <> 'MERGED' order by c.id limit $2`,
  citizensAfterWithUnit: `select ${citizenColumns}, u.name as "unitName" from citizens.citizen c left join hub.unit u on u.number = c.unit_no
    where c.id > $1 and c.life_status <> 'MERGED' order by c.id limit $2`,
  citizenByNumber: `select ${citizenColumns} from citizens.identifier i join citizens.citizen c on c.id = i.citizen_id where i.value = $1 limit 1`,
  citizenByNumberWithUnit: `select ${citizenColumns}, u.name as "unitName" from citizens.identifier i
    join citizens.citizen c on c.id = i.citizen_id left join hub.unit u on u.number = c.unit_no where i.value = $1 limit 1`,
  cards: `select citizen_id as "citizenId", id, number, valid_from as "validFrom", valid_to as "validTo", status from insurance.card
    where citizen_id = any($1) and status <> 'WITHDRAWN' order by citizen_id, valid_from desc nulls last, id`,
  results: `select k.id as "citizenId", x.* from unnest($1::uuid[]) k(id) cross join lateral (
    select id, code, name, issued_on as "issuedOn" from results.result r where r.citizen_id = k.id and state <> 'WITHDRAWN' order by id limit $2) x`,
  referrals: `select k.id as "citizenId", x.* from unnest($1::uuid[]) k(id) cross join lateral (
    select id, number, status, issued_on as "issuedOn" from slips.referral_slip r
    where r.citizen_id = k.id and status <> 'WITHDRAWN' order by id limit $2) x`,
  reexaminations: `select k.id as "citizenId", x.* from unnest($1::uuid[]) k(id) cross join lateral (
    select id, appointment_on as "appointmentOn" from slips.reexamination_slip r
    where r.citizen_id = k.id and status <> 'WITHDRAWN' order by id limit $2) x`,
  units: `select number, name from hub.unit where number = any($1)`,
};

export const unitId = (number) => `u${number}`;
export const unitNumber = (id) => Number(id.slice(1));

export function partialDate(row) {
  return row.dateOfBirth === null ? null : { value: row.dateOfBirth, precision: row.birthPrecision };
}

/** Rows by citizen. */
export function byCitizen(rows) {
  const groups = new Map();
  for (const row of rows) {
    const group = groups.get(row.citizenId);
    if (group === undefined) groups.set(row.citizenId, [row]);
    else group.push(row);
  }
  return groups;
}

export function ready(port) {
  process.stdout.write(`ready ${port}\n`);
}

process.on('SIGTERM', () => process.exit(0));
