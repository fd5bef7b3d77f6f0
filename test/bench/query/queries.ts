/** The two queries of the contract, and how a program spells them. */
const selection = (
  id: string,
): string => `${id} fullName lifeStatus orgUnit { ${id} name } dateOfBirth { value precision } gender phone
  insuranceCards { number validFrom validTo } cardInForce { number } digitizedResults(first: 5) { nodes { code name issuedOn } }
  referralSlips(first: 5) { nodes { number status issuedOn } } reexaminationSlips(first: 5) { nodes { ${id} appointmentOn } }
  fieldStatuses { field status }`;

export interface Spelling {
  /** How the field `id` is called. */
  readonly id: string;
  /** How the list of citizens is called. */
  readonly list: string;
  readonly cursorType: string;
}

export const ofContract: Spelling = { id: 'id', list: 'citizens', cursorType: 'String' };
/** PostGraphile keeps `id` for Relay and calls a column of that name `rowId`. */
export const ofPostgraphile: Spelling = { id: 'id: rowId', list: 'citizens: allCitizens', cursorType: 'Cursor' };

export function queryText(name: 'Q1' | 'Q2', { id, list, cursorType }: Spelling): string {
  if (name === 'Q1') return `query Q1($n: String!) { citizen(personalId: $n) { ${selection(id)} } }`;
  return `query Q2($after: ${cursorType}) { ${list}(first: 20, after: $after) { nodes { ${selection(id)} } pageInfo { endCursor hasNextPage } } }`;
}

/** A request body, but for its one value. */
export function bodyOf(name: 'Q1' | 'Q2', spelling: Spelling): { readonly before: string; readonly after: string } {
  const variable = name === 'Q1' ? 'n' : 'after';
  const head = JSON.stringify({ operationName: name, query: queryText(name, spelling) }).slice(0, -1);
  return { before: `${head},"variables":{"${variable}":"`, after: '"}}' };
}

export const goodBeginning = { Q1: '{"data":{"citizen":{', Q2: '{"data":{"citizens":{"nodes":[' } as const;
