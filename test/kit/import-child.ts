/* An import in a process of its own, to be killed: `node import-child.ts URL KIND ID CALLER-JSON`; prints a line when it begins. */
import type { Caller } from '#kernel/auth/principal.ts';
import { openDatabase } from '#kernel/db/database.ts';
import { Importing } from '#kernel/imports/import-run.ts';
import { allSubgraphs } from '../../subgraphs/all.ts';
import { today } from './record-world.ts';

const [url = '', name = '', id = '', who = ''] = process.argv.slice(2);
const kind = allSubgraphs.flatMap(({ imports = [] }) => imports).find((one) => one.kind === name);
if (kind === undefined) throw new Error(`no kind of file ${name}`);
const database = await openDatabase({ url, entities: [], connections: 2, applicationName: 'import-child' });
const importing = new Importing(
  { database, clock: { now: () => today }, identifierKey: Buffer.alloc(32, 7) },
  kind,
  JSON.parse(who) as Caller,
);
process.stdout.write('begun\n');
await importing.apply(id, { signal: AbortSignal.any([]), progress: () => undefined });
await database.close();
