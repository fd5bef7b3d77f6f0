import type { RowScope } from '../auth/policy.ts';
import type { KeyedRead, ReadDoor } from '../db/read-door.ts';

/**
 * Keyed reads of one operation: what the fields of many objects ask in one go is one question to the door, and what was asked once
 * is not asked again. Made anew for each operation; nothing of it is shared between callers.
 *
 * A page of citizens asks each of some reads for each of them, so the common way costs one promise per read, not per key:
 * {@link KeyedLoader.want}, wait, {@link KeyedLoader.arrived}.
 */
export class KeyedLoader {
  readonly #door: ReadDoor;
  readonly #questions = new Map<KeyedRead<unknown>, Question[]>();

  constructor(door: ReadDoor) {
    this.#door = door;
  }

  /** Asks for a key; `null` when its rows are there, else what to wait for. */
  want<Row>(read: KeyedRead<Row>, scope: RowScope, key: string): Promise<void> | null {
    return this.#question(read, scope).want(key);
  }

  /** Rows of a key; `null`: there is none with this key for this scope; `undefined`: not asked for, or still under way. */
  arrived<Row>(read: KeyedRead<Row>, scope: RowScope, key: string): readonly Row[] | null | undefined {
    return this.#question(read, scope).rows.get(key) as readonly Row[] | null | undefined;
  }

  async load<Row>(read: KeyedRead<Row>, scope: RowScope, key: string): Promise<readonly Row[] | null> {
    await this.want(read, scope, key);
    return this.arrived(read, scope, key) ?? null;
  }

  #question(read: KeyedRead<unknown>, scope: RowScope): Question {
    const questions = this.#questions.get(read);
    const known = questions?.find((question) => question.isFor(scope));
    if (known !== undefined) return known;
    const made = new Question(this.#door, read, scope);
    if (questions === undefined) this.#questions.set(read, [made]);
    else questions.push(made);
    return made;
  }
}

/** One read under one scope: keys gather until the microtasks of this turn have run, then go as one. */
class Question {
  readonly #door: ReadDoor;
  readonly #read: KeyedRead<unknown>;
  readonly #scope: RowScope;
  readonly rows = new Map<string, readonly unknown[] | null>();
  readonly #asked = new Map<string, Promise<void>>();
  #gathering: { readonly keys: string[]; readonly arrival: Promise<void> } | null = null;

  constructor(door: ReadDoor, read: KeyedRead<unknown>, scope: RowScope) {
    this.#door = door;
    this.#read = read;
    this.#scope = scope;
  }

  isFor({ units, citizenId }: RowScope): boolean {
    return this.#scope.units === units && this.#scope.citizenId === citizenId;
  }

  want(key: string): Promise<void> | null {
    if (this.rows.has(key)) return null;
    const asked = this.#asked.get(key);
    if (asked !== undefined) return asked;
    this.#gathering ??= this.#gather();
    this.#gathering.keys.push(key);
    this.#asked.set(key, this.#gathering.arrival);
    return this.#gathering.arrival;
  }

  #gather(): { readonly keys: string[]; readonly arrival: Promise<void> } {
    const keys: string[] = [];
    const arrival = Promise.resolve().then(async () => {
      this.#gathering = null;
      const found = await this.#door.byKeys(this.#read, this.#scope, keys);
      for (const key of keys) this.rows.set(key, found.get(key) ?? null);
    });
    return { keys, arrival };
  }
}
