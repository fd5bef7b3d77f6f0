import {
  getNamedType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLObjectType,
  type GraphQLSchema,
} from 'graphql';

/** What a generated operation holds; each is wanted in a tenth of them at least. */
export const traits = ['alias', 'namedFragment', 'inlineFragment', 'condition', 'severalRoots', 'nesting'] as const;
export type Trait = (typeof traits)[number];

export interface GeneratedOperation {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly traits: ReadonlySet<Trait>;
}

/** Values that stand for known records, so that operations over a real database find something. */
export interface Known {
  readonly ids: Readonly<Record<string, readonly string[]>>;
  readonly texts: Readonly<Record<string, readonly string[]>>;
}

const crossing = ['Citizen', 'InsuranceCard', 'DigitizedResultConnection', 'DigitizedResult', 'OrgUnit', 'Discrepancy'];

export class OperationGenerator {
  readonly #schema: GraphQLSchema;
  readonly #known: Known;
  #state: number;
  #traits = new Set<Trait>();
  #fragments: string[] = [];
  #variables: { name: string; type: string; value: unknown }[] = [];
  #aliases = 0;
  #size = 0;

  constructor(schema: GraphQLSchema, seed: number, known: Known) {
    this.#schema = schema;
    this.#known = known;
    this.#state = seed >>> 0;
  }

  next(): GeneratedOperation {
    this.#traits = new Set();
    this.#fragments = [];
    this.#variables = [];
    this.#aliases = 0;
    this.#size = 0;
    const type = this.#schema.getQueryType();
    if (type === null || type === undefined) throw new Error('The schema has no Query.');
    const roots = this.#chance(0.3) ? 2 + this.#below(2) : 1;
    if (roots > 1) this.#traits.add('severalRoots');
    const fields = Array.from({ length: roots }, () => this.#pick(Object.values(type.getFields())));
    const body = fields.map((field) => this.#field(field, 0, [], roots > 1)).join(' ');
    const declared = this.#variables.map(({ name, type: of }) => `$${name}: ${of}`).join(', ');
    const query = `query Generated${declared === '' ? '' : `(${declared})`} { ${body} }${this.#fragments.map((f) => ` ${f}`).join('')}`;
    return {
      query,
      variables: Object.fromEntries(this.#variables.map(({ name, value }) => [name, value])),
      traits: this.#traits,
    };
  }

  #selections(type: GraphQLObjectType, depth: number, above: readonly string[]): string {
    const all = Object.values(type.getFields()).filter((field) => !this.#tooDeep(field, depth));
    const count = 1 + this.#below(Math.min(4, all.length));
    const parts: string[] = [];
    for (let index = 0; index < count; index += 1) {
      const roll = this.#next();
      if (roll < 0.08) {
        parts.push(this.#chance(0.5) ? '__typename' : `${this.#alias()}: __typename`);
      } else if (roll < 0.18 && depth < 5) {
        this.#traits.add('inlineFragment');
        parts.push(
          `...${this.#chance(0.8) ? ` on ${type.name}` : ''}${this.#condition()} { ${this.#inner(all, type, depth, above)} }`,
        );
      } else if (roll < 0.27 && depth < 5) {
        this.#traits.add('namedFragment');
        const name = `F${String(this.#fragments.length)}${String(this.#below(1000))}`;
        this.#fragments.push('');
        const place = this.#fragments.length - 1;
        this.#fragments[place] = `fragment ${name} on ${type.name} { ${this.#inner(all, type, depth, above)} }`;
        parts.push(`...${name}${this.#condition()}`);
        if (this.#chance(0.2)) parts.push(`...${name}`);
      } else {
        parts.push(this.#inner(all, type, depth, above));
      }
    }
    return parts.join(' ');
  }

  #inner(
    all: readonly GraphQLField<unknown, unknown>[],
    type: GraphQLObjectType,
    depth: number,
    above: readonly string[],
  ): string {
    if (all.length === 0) return '__typename';
    // Roads between subgraphs are rarer than plain fields and matter more.
    const roads = all.filter((field) => crossing.includes(getNamedType(field.type).name));
    const from = roads.length > 0 && this.#chance(0.4) ? roads : all;
    return this.#field(this.#pick(from), depth, [...above, type.name], false);
  }

  #field(field: GraphQLField<unknown, unknown>, depth: number, above: readonly string[], mustAlias: boolean): string {
    this.#size += 1;
    const named = getNamedType(field.type);
    if (named.name === 'Citizen' && above.includes('Citizen')) this.#traits.add('nesting');
    const aliased = mustAlias || field.args.length > 0 || this.#chance(0.12);
    if (aliased) this.#traits.add('alias');
    const alias = aliased ? `${this.#alias()}: ` : '';
    const args = field.args
      .filter((argument) => isRequiredArgument(argument) || this.#chance(0.4))
      .map((argument) => this.#argument(argument));
    const head = `${alias}${field.name}${args.length === 0 ? '' : `(${args.join(', ')})`}${this.#condition()}`;
    return isObjectType(named) ? `${head} { ${this.#selections(named, depth + 1, above)} }` : head;
  }

  #tooDeep(field: GraphQLField<unknown, unknown>, depth: number): boolean {
    return isObjectType(getNamedType(field.type)) && (depth >= 7 || this.#size > 60);
  }

  #condition(): string {
    if (!this.#chance(0.06)) return '';
    this.#traits.add('condition');
    const directive = this.#chance(0.5) ? 'skip' : 'include';
    if (this.#chance(0.3)) return ` @${directive}(if: ${String(this.#chance(0.5))})`;
    return ` @${directive}(if: $${this.#variable('Boolean!', this.#chance(0.5))})`;
  }

  #argument(argument: GraphQLArgument): string {
    if (this.#chance(0.3)) {
      const value = this.#value(argument.type, argument.name);
      return `${argument.name}: $${this.#variable(String(argument.type), value)}`;
    }
    return `${argument.name}: ${literal(this.#value(argument.type, argument.name), argument.type)}`;
  }

  #value(type: GraphQLInputType, name: string): unknown {
    if (isNonNullType(type)) return this.#value(type.ofType, name) ?? this.#scalar(String(type.ofType), name);
    if (isListType(type)) return [this.#value(type.ofType, name)];
    if (isEnumType(type)) return this.#pick(type.getValues()).name;
    if (isInputObjectType(type)) {
      const value: Record<string, unknown> = {};
      for (const field of Object.values(type.getFields())) {
        if (isNonNullType(field.type) || this.#chance(0.2)) value[field.name] = this.#value(field.type, field.name);
      }
      return value;
    }
    return this.#scalar(type.name, name);
  }

  #scalar(type: string, name: string): unknown {
    switch (type) {
      case 'Int':
        return name === 'first' && this.#chance(0.05) ? 101 : 1 + this.#below(5);
      case 'Boolean':
        return this.#chance(0.5);
      case 'Date':
        return '1990-03-15';
      case 'DateTime':
        return '2026-01-01T00:00:00.000Z';
      case 'ID':
        return this.#pick(this.#known.ids[name] ?? this.#known.ids.id ?? ['citizen-1', 'citizen-2', 'absent']);
      default:
        return this.#pick(this.#known.texts[name] ?? ['038090000001', 'nguyen', 'zzz']);
    }
  }

  #variable(type: string, value: unknown): string {
    const name = `v${String(this.#variables.length)}`;
    this.#variables.push({ name, type, value });
    return name;
  }

  #alias(): string {
    this.#aliases += 1;
    return `a${String(this.#aliases)}`;
  }

  #pick<T>(from: readonly T[]): T {
    const found = from[this.#below(from.length)];
    if (found === undefined) throw new Error('Nothing to pick from.');
    return found;
  }
  #below(limit: number): number {
    return Math.floor(this.#next() * limit);
  }
  #chance(share: number): boolean {
    return this.#next() < share;
  }
  /** mulberry32 */
  #next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }
}

function literal(value: unknown, type: GraphQLInputType): string {
  if (value === null || value === undefined) return 'null';
  if (isNonNullType(type)) return literal(value, type.ofType);
  if (isListType(type)) return `[${(value as unknown[]).map((item) => literal(item, type.ofType)).join(', ')}]`;
  if (isEnumType(type)) return typeof value === 'string' ? value : 'null';
  if (isInputObjectType(type)) {
    const fields = type.getFields();
    return `{${Object.entries(value)
      .map(([name, item]) => `${name}: ${literal(item, fields[name]!.type)}`)
      .join(', ')}}`;
  }
  return JSON.stringify(value);
}
