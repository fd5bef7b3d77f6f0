import { raw, type FilterDef, type PolicyDef } from '@mikro-orm/postgresql';

/*
 * Both locks of a scoped table, as an entity declares them. Lock one is a strict filter: whatever loads, counts or changes entities
 * without naming its scope fails. Lock two is the row policy as it stands in the database; a test compares the two.
 */

const session = `( SELECT (NULLIF(current_setting('hub.scope'::text, true), ''::text))::int4multirange AS "nullif")`;

/** What a transaction tells lock one: `openDatabase` sets it from the session of the transaction. */
export interface ScopeParameters {
  /** int4multirange text. */
  readonly units: string;
}
export interface OwnerParameters {
  readonly principal: string;
}

export interface Locks {
  readonly rowLevelSecurity: 'force';
  readonly policies: PolicyDef[];
  readonly filters: Record<string, FilterDef>;
}

function scoped(columns: readonly string[], using: string, check = using): Locks {
  const inside = (units: string, alias: string): string =>
    `coalesce(${columns.map((column) => `${alias}${column} <@ '${int4multirange(units)}'::int4multirange`).join(' or ')}, false)`;
  // Only a read has an alias; without the function form one fragment would serve two statements.
  const cond = ({ units }: ScopeParameters, type: 'read' | 'update' | 'delete') => ({
    [raw((alias) => inside(units, type === 'read' ? `${alias}.` : ''))]: true,
  });
  return {
    rowLevelSecurity: 'force',
    policies: [{ name: 'scope', using, check }],
    filters: { scope: { name: 'scope', default: true, strict: true, cond } },
  };
}

/** Refuses what is not the text of a set of numbers: the filter has no place for a parameter. */
function int4multirange(text: string): string {
  if (!/^\{[[\](),\d]*\}$/.test(text)) throw new Error('The scope is not an int4multirange.');
  return text;
}

/** Rows of one unit. */
export const ofUnit: Locks = scoped(['unit_no'], `COALESCE((unit_no <@ ${session}), false)`);

/** Rows of a facility alone. */
export const ofFacility: Locks = scoped(['facility_no'], `COALESCE((facility_no <@ ${session}), false)`);

const ofEither = `COALESCE(((unit_no <@ ${session}) OR (facility_no <@ ${session})), false)`;

/** Rows of the citizen's unit and of the issuing facility: either reads them; a condition says what the facility may write. */
export function ofUnitOrFacility(facilityWrites: 'always' | 'signed'): Locks {
  const condition = facilityWrites === 'always' ? 'true' : `(origin = 'SIGNED'::text)`;
  const check = `COALESCE(((unit_no <@ ${session}) OR (${condition} AND (facility_no <@ ${session}))), false)`;
  return scoped(['unit_no', 'facility_no'], ofEither, check);
}

const own = `COALESCE((principal = ( SELECT NULLIF(current_setting('hub.principal'::text, true), ''::text) AS "nullif")), false)`;

/** Rows of the principal himself; what is older than seven days is open to maintenance, which deletes it. */
export const ofPrincipal: Locks = {
  rowLevelSecurity: 'force',
  policies: [
    { name: 'own', using: own, check: own },
    {
      name: 'retention',
      using: `((at < (now() - '7 days'::interval)) AND COALESCE((( SELECT current_setting('hub.scope'::text, true) AS current_setting) = '{(,)}'::text), false))`,
      check: 'false',
    },
  ],
  filters: {
    own: { name: 'own', default: true, strict: true, cond: ({ principal }: OwnerParameters) => ({ principal }) },
  },
};
