/**
 * Chance from a seed: the same seed, label and index give the same draws on every machine, in every version of Node, whatever was
 * drawn elsewhere. So one citizen can be made without those before him. Small fast counter generator (sfc32); not for secrets.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number, label: string, index: number) {
    let hash = 0x811c9dc5;
    for (let i = 0; i < label.length; i++) hash = Math.imul(hash ^ label.charCodeAt(i), 0x01000193);
    this.#a = mixed((seed | 0) ^ hash);
    this.#b = mixed(this.#a ^ (index | 0));
    this.#c = mixed(this.#b ^ Math.floor(seed / 2 ** 32) ^ Math.floor(index / 2 ** 32) ^ 0x9e3779b9);
    for (let i = 0; i < 8; i++) this.uint32();
  }

  uint32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    this.#c |= 0;
    return sum >>> 0;
  }

  /** A whole number from 0 to `count` − 1. */
  below(count: number): number {
    return Math.floor((this.uint32() / 2 ** 32) * count);
  }

  /** A whole number from `from` to `to`, both included. */
  between(from: number, to: number): number {
    return from + this.below(to - from + 1);
  }

  chance(share: number): boolean {
    return this.uint32() < share * 2 ** 32;
  }

  pick<T>(list: readonly T[]): T {
    const found = list[this.below(list.length)];
    if (found === undefined) throw new Error('Nothing to pick from.');
    return found;
  }

  /** One of the pairs' values, each as often as its weight says. */
  weighted<T>(pairs: readonly (readonly [T, number])[]): T {
    let rest = (this.uint32() / 2 ** 32) * pairs.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [value, weight] of pairs) {
      rest -= weight;
      if (rest < 0) return value;
    }
    const last = pairs.at(-1);
    if (last === undefined) throw new Error('Nothing to pick from.');
    return last[0];
  }

  digits(count: number): string {
    return Array.from({ length: count }, () => String(this.below(10))).join('');
  }
}

function mixed(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/**
 * A UUIDv7 from seed, label and index. Its time is made up (`base` plus `index` milliseconds): it only orders the records as they
 * are numbered.
 */
export function syntheticUuid(seed: number, label: string, index: number, base: number): string {
  const random = new Random(seed, label, index);
  const time = (base + index).toString(16).padStart(12, '0');
  const hex = (value: number, length: number): string => value.toString(16).padStart(length, '0');
  const a = hex(random.uint32() >>> 20, 3);
  const b = hex((random.uint32() >>> 18) | 0x8000, 4);
  const c = hex(random.uint32(), 8) + hex(random.uint32() >>> 16, 4);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${a}-${b}-${c}`;
}

/**
 * Gives each index below `range` a number of its own in `from` … `from + range − 1`, scattered. `step` shares no factor with
 * `range`.
 */
export function scattered(seed: number, index: number, from: number, range: number, step: number): number {
  const start = new Random(seed, 'scattered', range).below(range);
  return from + ((start + (index % range) * step) % range);
}
