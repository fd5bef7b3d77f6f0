import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { SubgraphName } from '#kernel/audit/audit.ts';
import { openReadAudit } from '#kernel/audit/read-audit.ts';
import type { Caller } from '#kernel/auth/principal.ts';
import { systemClock } from '#kernel/clock.ts';
import { byteOrderMark, cellOf, csvLine } from '#kernel/csv-writer.ts';
import { everyUnit, openDatabase, type Database } from '#kernel/db/database.ts';
import { openReadDoor } from '#kernel/db/read-door-pg.ts';
import { unitId } from '#kernel/domain/ids.ts';
import { openRuntime, type SubgraphRuntime } from '#kernel/graph/subgraph-runtime.ts';
import { createMetrics } from '#kernel/metrics.ts';
import { allSubgraphs } from '../subgraphs/all.ts';
import { asOption, operatorOf } from './operator.ts';
import { wordAt } from './register.ts';
import { UsageError, type Verb, type VerbArguments, type VerbContext } from './verb.ts';

/*
 * Records as a file. They are read like any other answer of the graph, a hundred at a time: under the scope of whoever asks as it is at that page,
 * masked as his role and purpose say, and audited with everyone whose data are in it before the page is written.
 */

type Node = Readonly<Record<string, unknown>>;

interface ExportKind {
  readonly subgraph: SubgraphName;
  readonly list: string;
  readonly selection: string;
  /** Under the names that an import takes where there is one; the others mean nothing to it. */
  cells(node: Node, unitCodes: ReadonlyMap<string, string>): Readonly<Record<string, string | null>>;
}

const text = (node: Node | null, field: string): string | null => {
  const value = node?.[field];
  return typeof value === 'string' ? value : null;
};
const inner = (node: Node, field: string): Node | null => {
  const value = node[field];
  return typeof value === 'object' && value !== null ? (value as Node) : null;
};
const genders: Readonly<Record<string, string>> = { MALE: '1', FEMALE: '2', UNDETERMINED: '3' };

const kinds: Readonly<Record<string, ExportKind>> = {
  citizens: {
    subgraph: 'citizens',
    list: 'citizens',
    selection: `id orgUnit { id } lifeStatus personalId oldIdNumber fullName dateOfBirth { value } gender ethnicity phone email birthplace nativePlace
      permanentAddress { text code listVersion } currentAddress { text code listVersion }`,
    cells(node, unitCodes) {
      const permanent = inner(node, 'permanentAddress');
      const current = inner(node, 'currentAddress');
      const list = text(permanent, 'listVersion') ?? text(current, 'listVersion');
      // One list holds for the row: a code of the other one would name another place.
      const code = (address: Node | null): string | null =>
        text(address, 'listVersion') === list ? text(address, 'code') : null;
      return {
        personal_id: text(node, 'personalId'),
        old_id_number: text(node, 'oldIdNumber'),
        full_name: text(node, 'fullName'),
        date_of_birth: text(inner(node, 'dateOfBirth'), 'value'),
        gender: genders[text(node, 'gender') ?? ''] ?? null,
        ethnicity: text(node, 'ethnicity'),
        phone: text(node, 'phone'),
        email: text(node, 'email'),
        birthplace: text(node, 'birthplace'),
        native_place: text(node, 'nativePlace'),
        permanent_address: text(permanent, 'text'),
        permanent_commune: code(permanent),
        current_address: text(current, 'text'),
        current_commune: code(current),
        commune_list: list,
        unit_code: unitCodes.get(text(inner(node, 'orgUnit'), 'id') ?? '') ?? null,
        id: text(node, 'id'),
        life_status: text(node, 'lifeStatus'),
      };
    },
  },
  cards: {
    subgraph: 'insurance',
    list: 'insuranceCards',
    selection: 'id number validFrom validTo status registeredFacility issuer holderName',
    cells: (node) => ({
      number: text(node, 'number'),
      full_name: text(node, 'holderName'),
      valid_from: text(node, 'validFrom'),
      valid_to: text(node, 'validTo'),
      registered_facility: text(node, 'registeredFacility'),
      issuer: text(node, 'issuer'),
      id: text(node, 'id'),
      status: text(node, 'status'),
    }),
  },
  results: {
    subgraph: 'results',
    list: 'digitizedResults',
    selection: 'id code name kind issuingAgency issuedOn validTo excerpt fileState',
    cells: (node) => ({
      code: text(node, 'code'),
      name: text(node, 'name'),
      kind: text(node, 'kind'),
      issuing_agency: text(node, 'issuingAgency'),
      issued_on: text(node, 'issuedOn'),
      valid_to: text(node, 'validTo'),
      excerpt: text(node, 'excerpt'),
      id: text(node, 'id'),
    }),
  },
  'referral-slips': {
    subgraph: 'slips',
    list: 'referralSlips',
    selection: 'id number origin status issuedOn validTo fromFacility toFacility reason',
    cells: (node) => ({
      number: text(node, 'number'),
      origin: text(node, 'origin'),
      status: text(node, 'status'),
      issued_on: text(node, 'issuedOn'),
      valid_to: text(node, 'validTo'),
      from_facility: text(node, 'fromFacility'),
      to_facility: text(node, 'toFacility'),
      reason: text(node, 'reason'),
      id: text(node, 'id'),
    }),
  },
  'reexamination-slips': {
    subgraph: 'slips',
    list: 'reexaminationSlips',
    selection: 'id number origin status issuedOn appointmentOn facility',
    cells: (node) => ({
      number: text(node, 'number'),
      origin: text(node, 'origin'),
      status: text(node, 'status'),
      issued_on: text(node, 'issuedOn'),
      appointment_on: text(node, 'appointmentOn'),
      facility: text(node, 'facility'),
      id: text(node, 'id'),
    }),
  },
};

/** The audit holds a page's subjects in one row. */
const pageSize = 100;
/** Milliseconds after which it is looked again who asks and what he may. */
const recheck = 5_000;

export const verb: Verb = {
  usage: `${Object.keys(kinds).join('|')} FILE [--as LOGIN] [--jsonl]`,
  help: {
    en: 'Writes records as CSV or JSON lines, as far as the account sees them, masked as its role says; audited page by page. A CSV of citizens, cards or results can be imported again.',
    vi: 'Ghi hồ sơ ra tệp CSV hoặc JSON từng dòng, trong phạm vi và mức che dữ liệu của tài khoản; ghi nhật ký theo từng trang. Tệp CSV công dân, thẻ, kết quả có thể nhập lại.',
  },
  options: {
    as: asOption,
    jsonl: { type: 'boolean', help: { en: 'One JSON object a line.', vi: 'Mỗi dòng một đối tượng JSON.' } },
  },
  async run(context, args) {
    const name = args.words[0] ?? '';
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    if (kind === undefined) {
      const known = Object.keys(kinds).join(', ');
      throw new UsageError({ en: `Say what to export: ${known}.`, vi: `Hãy nêu loại hồ sơ cần ghi ra: ${known}.` });
    }
    const path = wordAt(args, 1, 'FILE');
    const opened = await context.database();
    const { identifierKey } = opened;
    const { registry } = createMetrics('hub-export');
    const door = openReadDoor({ connection: opened.roleUrl('reader'), registry });
    const audit = openReadAudit({ connection: opened.roleUrl('reader'), registry });
    const database = await openDatabase({
      url: opened.roleUrl(kind.subgraph),
      entities: [],
      connections: 1,
      applicationName: 'hub-export',
    });
    const module = allSubgraphs.find((one) => one.name === kind.subgraph);
    if (module === undefined) throw new Error(`no subgraph ${kind.subgraph}`);
    const runtime = openRuntime(module, { door, clock: systemClock, identifierKey }, audit);
    const part = `${path}.part`;
    const progress = context.progress({ en: 'records', vi: 'hồ sơ' });
    let total = 0;
    try {
      const lines = async function* (): AsyncGenerator<string> {
        for await (const page of pagesOf(context, args, { name, kind, database, runtime })) {
          total += page.length;
          yield page.map((cells, n) => lineOf(cells, args.flag('jsonl'), total - page.length + n === 0)).join('');
          progress.at(total, null);
        }
      };
      await pipeline(Readable.from(lines()), createWriteStream(part, { mode: 0o600 }), { signal: context.signal });
      // Half a file is never taken for a whole one.
      await rename(part, path);
    } catch (error) {
      await rm(part, { force: true });
      throw error;
    } finally {
      progress.end();
      await runtime.close();
      await Promise.all([audit.close(), door.close(), database.close()]);
    }
    context.say({ en: `${String(total)} records are in ${path}`, vi: `${String(total)} hồ sơ nằm trong ${path}` });
    return { exit: 0, json: { total, file: path } };
  },
};

function lineOf(cells: Readonly<Record<string, string | null>>, jsonl: boolean, first: boolean): string {
  if (jsonl) return `${JSON.stringify(cells)}\n`;
  const line = csvLine(Object.values(cells).map((cell) => cellOf(cell)));
  return first ? `${byteOrderMark}${csvLine(Object.keys(cells))}${line}` : line;
}

interface Exporting {
  readonly name: string;
  readonly kind: ExportKind;
  readonly database: Database;
  readonly runtime: SubgraphRuntime;
}

async function* pagesOf(
  context: VerbContext,
  args: VerbArguments,
  { name, kind, database, runtime }: Exporting,
): AsyncGenerator<readonly Readonly<Record<string, string | null>>[]> {
  const query = `query Export($after: String) { page: ${kind.list}(first: ${String(pageSize)}, after: $after) {
    nodes { ${kind.selection} } pageInfo { endCursor hasNextPage } } }`;
  const unitCodes = await unitsOf(database);
  let caller: Caller | null = null;
  let checkedAt = 0;
  for (let after: string | null = null; ;) {
    if (caller === null || performance.now() - checkedAt > recheck) {
      caller = await operatorOf(context, args, database, `export ${name}`);
      checkedAt = performance.now();
    }
    const answer = await runtime.execute({ query, variables: { after }, caller, signal: context.signal });
    const [error] = answer.errors ?? [];
    if (error !== undefined || answer.data === null) throw new Error(error?.message ?? 'no answer');
    // Durable before the first byte is written: no audit, no data.
    await answer.audit();
    const { page } = answer.data as unknown as {
      readonly page: {
        readonly nodes: readonly Node[];
        readonly pageInfo: { readonly endCursor: string | null; readonly hasNextPage: boolean };
      };
    };
    if (page.nodes.length > 0) yield page.nodes.map((node) => kind.cells(node, unitCodes));
    if (!page.pageInfo.hasNextPage) return;
    after = page.pageInfo.endCursor;
  }
}

async function unitsOf(database: Database): Promise<ReadonlyMap<string, string>> {
  const rows = await database.transaction({ units: everyUnit, principal: 'cli' }, (tx) =>
    tx.query<{ readonly number: number; readonly code: string }>('select number, code from hub.unit'),
  );
  return new Map(rows.map(({ number, code }) => [unitId(number), code]));
}
