import assert from 'node:assert/strict';
import type { Asker, PopulationDatabase, StatedPerson } from './person.ts';

/*
 * What any implementation of the population database must do, as cases without a test runner: run against the simulator by the tests, and
 * against the sandbox of the real one by hand before a release.
 */

export interface ContractSubject {
  readonly database: PopulationDatabase;
  readonly asker: Asker;
  /** Somebody whom it knows, stated as it writes him. */
  readonly known: StatedPerson;
  /** A number that nobody has. */
  readonly unknown: string;
}

export interface ContractCase {
  readonly name: string;
  run(subject: ContractSubject): Promise<void>;
}

let asked = 0;
/** Each question is another one. */
function freshKey(): string {
  asked += 1;
  return `contract ${String(process.pid)} ${String(performance.timeOrigin)} ${String(asked)}`;
}

export const populationContract: readonly ContractCase[] = [
  {
    name: 'confirms a person who is stated as it knows him, and says as of when',
    async run({ database, asker, known }) {
      const answer = await database.ask({ person: known, asker, key: freshKey() });
      assert.equal(answer.kind, 'match');
      assert.ok(answer.asOf instanceof Date);
    },
  },
  {
    name: 'gives its own record of a person who is stated otherwise',
    async run({ database, asker, known }) {
      const answer = await database.ask({ person: { ...known, fullName: 'Người Khác' }, asker, key: freshKey() });
      assert.equal(answer.kind, 'record');
      assert.equal(answer.person.personalId, known.personalId);
      assert.equal(answer.person.fullName.normalize('NFC').toLowerCase(), known.fullName.normalize('NFC').toLowerCase());
      assert.equal(answer.person.dateOfBirth, known.dateOfBirth);
      assert.equal(answer.person.gender, known.gender);
      assert.ok(answer.asOf instanceof Date);
    },
  },
  {
    name: 'does not know a number that nobody has',
    async run({ database, asker, known, unknown }) {
      const answer = await database.ask({ person: { ...known, personalId: unknown }, asker, key: freshKey() });
      assert.equal(answer.kind, 'unknown-person');
    },
  },
  {
    name: 'answers the same question again alike',
    async run({ database, asker, known }) {
      const key = freshKey();
      const [first, second] = [
        await database.ask({ person: known, asker, key }),
        await database.ask({ person: known, asker, key }),
      ];
      assert.equal(first.kind, second.kind);
    },
  },
  {
    name: 'refuses whoever does not say on whose behalf and for what he asks',
    async run({ database, asker, known }) {
      for (const missing of ['officer', 'unit', 'procedure'] as const) {
        await assert.rejects(database.ask({ person: known, asker: { ...asker, [missing]: '' }, key: freshKey() }), {
          name: 'SystemRefused',
          kind: 'rights',
        });
      }
    },
  },
];
