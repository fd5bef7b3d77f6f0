import DataLoader from 'dataloader';
import type { RowScope } from '../auth/policy.ts';
import type { KeyedRead, ReadDoor } from '../db/read-door.ts';

/**
 * Keyed reads of one operation: what the fields of many objects ask in one tick goes to the door as one question, and what was
 * asked once is not asked again. Made anew for each operation; nothing of it is shared between callers.
 */
export class KeyedLoader {
  readonly #door: ReadDoor;
  readonly #loaders = new Map<string, DataLoader<string, readonly unknown[] | null>>();

  constructor(door: ReadDoor) {
    this.#door = door;
  }

  /** `null`: no row has this key, for this scope. */
  load<Row>(read: KeyedRead<Row>, scope: RowScope, key: string): Promise<readonly Row[] | null> {
    const which = `${read.name} ${scope.units} ${scope.citizenId ?? ''}`;
    let loader = this.#loaders.get(which);
    if (loader === undefined) {
      loader = new DataLoader(async (keys: readonly string[]) => {
        const rows = await this.#door.byKeys(read, scope, keys);
        return keys.map((one) => rows.get(one) ?? null);
      });
      this.#loaders.set(which, loader);
    }
    return loader.load(key) as Promise<readonly Row[] | null>;
  }
}
