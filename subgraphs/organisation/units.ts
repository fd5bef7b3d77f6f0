import type { Clock } from '#kernel/clock.ts';
import { parseUnitId } from '#kernel/domain/ids.ts';
import { rangesOf, unitTree, type UnitTree } from '#kernel/unit-scope.ts';

type UnitLevel = 'PROVINCE' | 'CENTRE' | 'STATION' | 'FACILITY';

export interface UnitRow {
  readonly number: number;
  readonly code: string;
  readonly name: string;
  readonly level: UnitLevel;
  readonly parent: number | null;
  readonly version: number;
  readonly validFrom: string;
  /** Last day; `null`: in force. */
  readonly validTo: string | null;
}

export const unitRowsText = `select number, code, name, level, parent_number as parent, version, valid_from::text as "validFrom",
  valid_to::text as "validTo" from hub.unit`;

export interface UnitScope {
  /** int4multirange text of the unit and all below it. */
  readonly units: string;
  readonly count: number;
}

/** All units at one moment. A closed unit stays: its records are read by those above it until they are moved. */
export class Units {
  readonly tree: UnitTree;
  readonly #units: ReadonlyMap<number, UnitRow>;
  readonly #children: ReadonlyMap<number | null, readonly UnitRow[]>;
  readonly #scopes = new Map<number, UnitScope>();

  constructor(rows: readonly UnitRow[]) {
    const sorted = [...rows].sort((a, b) => a.number - b.number);
    this.#units = new Map(sorted.map((unit) => [unit.number, unit]));
    this.#children = Map.groupBy(sorted, ({ parent }) => parent);
    this.tree = unitTree(sorted);
  }

  find(number: number): UnitRow | null {
    return this.#units.get(number) ?? null;
  }

  /** `OrgUnit.id` → unit; `null` for what is no id of a unit. */
  findById(id: string): UnitRow | null {
    const number = parseUnitId(id);
    return number.ok ? this.find(number.value) : null;
  }

  /** In order of numbers; `null`: units without a parent. */
  childrenOf(number: number | null): readonly UnitRow[] {
    return this.#children.get(number) ?? [];
  }

  /** A unit that does not exist covers nothing. */
  scopeOf(number: number): UnitScope {
    const known = this.#scopes.get(number);
    if (known !== undefined) return known;
    const below = this.tree.below(number);
    const scope = { units: rangesOf(below), count: below.length };
    this.#scopes.set(number, scope);
    return scope;
  }

  /** Whether `above` is the unit itself or stands over it. */
  standsOver(above: number, unit: number): boolean {
    const seen = new Set<number>();
    for (let at = this.find(unit); at !== null && !seen.has(at.number); at = at.parent === null ? null : this.find(at.parent)) {
      if (at.number === above) return true;
      seen.add(at.number);
    }
    return false;
  }
}

/** Units are held for five seconds; they are no personal data. */
const heldFor = 5_000;
/** From this age on they are read again beside the answers, so that no answer waits while the directory is in use. */
const refreshedFrom = 3_000;

/** Where units are read: from memory, at most five seconds old. */
export class UnitDirectory {
  readonly #load: () => Promise<readonly UnitRow[]>;
  readonly #clock: Clock;
  #units: Units | null = null;
  #readAt = 0;
  #reading: Promise<Units> | null = null;
  /** Changes that were made here. */
  #era = 0;

  constructor(load: () => Promise<readonly UnitRow[]>, clock: Clock) {
    this.#load = load;
    this.#clock = clock;
  }

  /** A change was made here: the next answer reads anew. A reading under way may have begun before it, so it is not waited for. */
  forget(): void {
    this.#units = null;
    this.#reading = null;
    this.#era += 1;
  }

  /** The units, when they are fresh enough to be used without waiting. */
  held(): Units | null {
    const age = this.#clock.now().getTime() - this.#readAt;
    if (this.#units === null || age >= heldFor || age < 0) return null;
    if (age >= refreshedFrom) void this.#read().catch(() => undefined);
    return this.#units;
  }

  async now(): Promise<Units> {
    return this.held() ?? (await this.#read());
  }

  #read(): Promise<Units> {
    if (this.#reading !== null) return this.#reading;
    const reading = this.#fresh().finally(() => {
      if (this.#reading === reading) this.#reading = null;
    });
    this.#reading = reading;
    return reading;
  }

  async #fresh(): Promise<Units> {
    // The age counts from before the question: what was changed meanwhile may be missing in the answer.
    const asked = this.#clock.now().getTime();
    const era = this.#era;
    const units = new Units(await this.#load());
    if (era !== this.#era) return await this.#read();
    this.#units = units;
    this.#readAt = asked;
    return units;
  }
}
