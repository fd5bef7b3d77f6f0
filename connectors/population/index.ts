import { createHash } from 'node:crypto';
import { openClient, type ClientOptions } from './client.ts';
import type { PopulationDatabase } from './person.ts';
import { confirmationIn, lookUpIn, type Operation } from './wire.ts';

export { SystemBusy, SystemRefused } from '../outcomes.ts';
export type { Allowance, CallEvent } from './client.ts';
export type { Asker, PopulationAnswer, PopulationDatabase, PopulationPerson, PopulationPlace, StatedPerson } from './person.ts';

export function openPopulation(options: ClientOptions): PopulationDatabase {
  const client = openClient(options);
  return {
    async ask({ person, asker, key, signal }) {
      const ask = <T>(operation: Operation, read: (body: unknown, requestId: string) => T): Promise<T> => {
        const requestId = requestIdOf(key, operation);
        return client.call({ operation, requestId, asker, person }, (body) => read(body, requestId), signal);
      };
      const { known, agrees, asOf } = await ask('XacThucThongTinCongDan', confirmationIn);
      if (!known) return { kind: 'unknown-person', asOf };
      if (agrees) return { kind: 'match', asOf };
      const found = await ask('TraCuuThongTinCongDan', (body, requestId) => lookUpIn(body, requestId, person.personalId));
      return found.person === null
        ? { kind: 'unknown-person', asOf: found.asOf }
        : { kind: 'record', asOf: found.asOf, person: found.person };
    },
    waits: () => client.waits(),
    close: () => client.close(),
  };
}

/** The same question and operation carry the same id, whoever asks again after a crash; a UUID says nothing about anybody. */
function requestIdOf(key: string, operation: Operation): string {
  const hex = createHash('sha256').update(`${operation} ${key}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
