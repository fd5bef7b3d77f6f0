import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { GraphQLObjectType, isIntrospectionType, parse, TypeInfo, visit, visitWithTypeInfo } from 'graphql';
import { Client } from 'pg';
import { permissionsOf, roles } from '#kernel/auth/permissions.ts';
import { openGatewaySchema } from './public-schema.ts';
import { fieldNeeds, leadingNeeds, rootNeeds, type Need } from './field-permissions.ts';
import { openProbeWorld, type ProbedGraph, type ProbeWorld, type ScopedTable } from './probe-world.ts';
import { reachable } from './probe-documents.ts';
import { anyProbe, documents, runProbe, tableProbe, targets, type Outcome, type Probe } from './probes.ts';

let world: ProbeWorld;
let graph: ProbedGraph;

beforeAll(async () => {
  world = await openProbeWorld();
  graph = await world.openGraph();
}, 120_000);

afterAll(async () => {
  await graph.close();
  await world.close();
});

/** Probes of a seed that is printed when they fail. */
async function probes(
  count: number,
  seed: number,
  on: ProbedGraph,
  before?: (probe: Probe) => Promise<void>,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const probe of fc.sample(anyProbe(), { numRuns: count, seed })) {
    await before?.(probe);
    outcomes.push(await runProbe(world, on, probe));
  }
  return outcomes;
}

const faultsOf = (outcomes: readonly Outcome[]): readonly string[] => outcomes.flatMap(({ faults }) => faults);

/** 2,000 in `npm test`, 20,000 in `test:long`. */
const probeCount = Number(process.env.HUB_PROBES ?? 2_000);

describe('who may read what', () => {
  test('random probes find no foreign row, no missing one, and every person in the audit [A08] [A09] [A15] [A19]', async () => {
    const outcomes = await probes(probeCount, 7, graph);
    expect(faultsOf(outcomes)).toEqual([]);
    const returning = outcomes.filter(({ returnedRows }) => returnedRows).length;
    expect(returning).toBeGreaterThanOrEqual(probeCount / 5);
  }, 1_200_000);

  test('with lock one taken out of every read, the row policies let no foreign row through [A18]', async () => {
    const open = await world.openGraph({ one: false });
    try {
      expect(faultsOf(await probes(probeCount / 5, 11, open))).toEqual([]);
    } finally {
      await open.close();
    }
  }, 600_000);

  test('with every row policy open, lock one lets no foreign row through [A18]', async () => {
    const tables = world.scopedTables.map(({ table }) => table);
    expect(faultsOf(await world.withoutPolicies(tables, () => probes(probeCount / 5, 13, graph)))).toEqual([]);
  }, 600_000);

  test('after a failed transaction on the same connection nothing foreign is seen [A18]', async () => {
    const everything = { units: world.callerOf('steward', 1).principal.scope, unitCount: 7, citizenId: null };
    const outcomes = await probes(200, 17, graph, () => graph.failTransactions(everything));
    expect(faultsOf(outcomes)).toEqual([]);
  }, 120_000);

  test('the probes are no decoration: with both locks open they find foreign rows at once', async () => {
    const open = await world.openGraph({ one: false });
    try {
      const tables = world.scopedTables.map(({ table }) => table);
      const outcomes = await world.withoutPolicies(tables, () => probes(100, 19, open));
      expect(faultsOf(outcomes).filter((fault) => fault.startsWith('foreign')).length).toBeGreaterThan(5);
    } finally {
      await open.close();
    }
  }, 120_000);

  test('the policy of any one table opened, with lock one away, is found within 500 probes', async () => {
    const notFound: string[] = [];
    for (const scoped of world.scopedTables) {
      const login = await readerOf(scoped);
      const reader = new Client({ connectionString: login });
      await reader.connect();
      try {
        const probe = (pick: number) =>
          tableProbe(world, reader, scoped, world.callerOf('clerk', world.units[pick % world.units.length] ?? 1), pick * 7919);
        expect([scoped.table, await firstFault(probe, 40)]).toEqual([scoped.table, null]);
        const opened = await world.withoutPolicies([scoped.table], () => firstFault(probe, 500));
        if (opened === null) notFound.push(scoped.table);
      } finally {
        await reader.end();
      }
    }
    expect(notFound).toEqual([]);
  }, 120_000);
});

/** Whoever of the hub's roles may read its key: the one that reads for the graph, else a subgraph, else the worker. */
async function readerOf({ table, key }: ScopedTable): Promise<string> {
  for (const login of Object.values(world.database.roles)) {
    const [row] = await world.truth<{ may: boolean }>('select has_column_privilege($1, $2, $3, $4) as may', [
      new URL(login).username,
      table,
      key,
      'select',
    ]);
    if (row?.may === true) return login;
  }
  throw new Error(`nobody reads ${table}`);
}

async function firstFault(probe: (pick: number) => Promise<string | null>, most: number): Promise<string | null> {
  for (let pick = 1; pick <= most; pick++) {
    const fault = await probe(pick);
    if (fault !== null) return fault;
  }
  return null;
}

describe('every field of the graph', () => {
  test('that a question can reach is drawn by the probes', () => {
    const schema = openGatewaySchema();
    const drawn = new Set<string>();
    for (const document of documents()) {
      const types = new TypeInfo(schema);
      const note = (): void => {
        const [parent, field] = [types.getParentType(), types.getFieldDef()];
        if (parent && field && !field.name.startsWith('__')) drawn.add(`${parent.name}.${field.name}`);
      };
      visit(parse(document), visitWithTypeInfo(types, { Field: note }));
    }
    expect([...reachable(schema).difference(drawn)]).toEqual([]);
    for (const { root, permission } of targets)
      expect([root, rootNeeds.get(`Query.${root}`)]).toEqual([root, permission ?? 'anyone']);
  });

  test('stands in the list of what it needs, and the list holds nothing else', () => {
    const schema = openGatewaySchema();
    const fields = Object.values(schema.getTypeMap())
      .filter((type) => type instanceof GraphQLObjectType && !isIntrospectionType(type))
      .flatMap((type) => Object.keys((type as GraphQLObjectType).getFields()).map((field) => `${type.name}.${field}`));
    expect([...fields].sort()).toEqual([...fieldNeeds.keys()].sort());
  });

  test.each(roles.filter((role) => role !== 'cli'))(
    '%s is told FORBIDDEN on exactly the kinds of record he never has [A12] [A17]',
    async (role) => {
      const caller = world.callerOf(role, 1);
      const wrong: string[] = [];
      const lacks = (need: Need): boolean =>
        need !== 'anyone' && need !== 'with its record' && !permissionsOf[role].includes(need);
      for (const [coordinate, need] of rootNeeds) {
        const field = coordinate.slice('Query.'.length);
        const { body } = await graph.ask({ ...caller, traceId: `${role}${field}` }, rootQueries[field] ?? '', {});
        const forbidden = (body.errors ?? []).some(
          ({ path, extensions }) => path?.[0] === field && path.length === 1 && extensions.code === 'FORBIDDEN',
        );
        if (forbidden !== lacks(need)) wrong.push(`${coordinate}: ${JSON.stringify(body).slice(0, 200)}`);
      }
      if (permissionsOf[role].includes('citizen:read')) {
        for (const [coordinate, need] of leadingNeeds) {
          const [type, field = ''] = coordinate.split('.');
          if (type !== 'Citizen') continue;
          const { body } = await graph.ask(
            { ...caller, traceId: `${role}${field}` },
            `{ citizens(first: 1) { nodes { id ${field} ${inside(field)} } } }`,
            {},
          );
          const forbidden = (body.errors ?? []).some(({ extensions }) => extensions.code === 'FORBIDDEN');
          if (forbidden !== lacks(need)) wrong.push(`${coordinate}: ${JSON.stringify(body).slice(0, 200)}`);
        }
      }
      expect(wrong).toEqual([]);
    },
  );
});

function inside(field: string): string {
  return ['insuranceCards', 'cardInForce', 'discrepancies'].includes(field) ? '{ id }' : '{ nodes { id } }';
}

const anyId = '01900000-0000-7000-8000-000000000001';
const rootQueries: Readonly<Record<string, string>> = {
  me: '{ me { id } }',
  citizen: `{ citizen(id: "${anyId}") { fullName } }`,
  citizens: '{ citizens(first: 1) { nodes { id } } }',
  fieldCounts: '{ fieldCounts { field verified } }',
  insuranceCard: `{ insuranceCard(id: "${anyId}") { id } }`,
  insuranceCards: '{ insuranceCards(first: 1) { nodes { id } } }',
  digitizedResult: `{ digitizedResult(id: "${anyId}") { id } }`,
  digitizedResults: '{ digitizedResults(first: 1) { nodes { id } } }',
  referralSlip: `{ referralSlip(id: "${anyId}") { id } }`,
  referralSlips: '{ referralSlips(first: 1) { nodes { id } } }',
  reexaminationSlip: `{ reexaminationSlip(id: "${anyId}") { id } }`,
  reexaminationSlips: '{ reexaminationSlips(first: 1) { nodes { id } } }',
  discrepancies: '{ discrepancies(first: 1) { nodes { id } } }',
  workItems: '{ workItems(first: 1) { nodes { id } } }',
  workCounts: '{ workCounts { kind week } }',
  syncRuns: '{ syncRuns(first: 1) { nodes { id } } }',
  run: `{ run(id: "${anyId}") { id } }`,
  queues: '{ queues { name } }',
  settings: '{ settings { name } }',
  export: `{ export(id: "${anyId}") { id } }`,
  exports: '{ exports(first: 1) { nodes { id } } }',
  import: `{ import(id: "${anyId}") { id } }`,
  imports: '{ imports(first: 1) { nodes { id } } }',
  orgUnits: '{ orgUnits { id } }',
  accounts: '{ accounts(first: 1) { nodes { id } } }',
  account: `{ account(id: "${anyId}") { id } }`,
  clients: '{ clients(first: 1) { nodes { id } } }',
  auditEvents: '{ auditEvents(first: 1) { nodes { id } } }',
};

describe('out of scope and not there', () => {
  test('answer the same, for every kind of record [A08]', async () => {
    const clerk = world.callerOf('clerk', world.rows.get('citizens.citizen')?.[0]?.unitNo ?? 1);
    const foreign = (table: string) =>
      world.rows
        .get(table)
        ?.find(
          ({ unitNo, facilityNo }) =>
            unitNo !== null && unitNo !== clerk.principal.unitNo && facilityNo !== clerk.principal.unitNo,
        );
    const cases = [
      ['citizens.citizen', 'citizen', 'id fullName insuranceCards { id }'],
      ['insurance.card', 'insuranceCard', 'id number citizen { id }'],
      ['results.result', 'digitizedResult', 'id name'],
      ['slips.referral_slip', 'referralSlip', 'id number'],
      ['slips.reexamination_slip', 'reexaminationSlip', 'id number'],
    ] as const;
    for (const [table, root, fields] of cases) {
      const row = foreign(table);
      const query = `query ($id: ID!) { ${root}(id: $id) { ${fields} } }`;
      const there = await graph.ask(clerk, query, { id: row?.id });
      const nowhere = await graph.ask(clerk, query, { id: anyId });
      expect(row).toBeDefined();
      expect(there.body).toEqual(nowhere.body);
      expect(there.body).toEqual({ data: { [root]: null } });
    }
  });
});
