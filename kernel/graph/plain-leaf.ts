import { compileFunction } from 'node:vm';
import {
  GraphQLScalarType,
  getNullableType,
  isEnumType,
  isLeafType,
  isNonNullType,
  type GraphQLEnumType,
  type GraphQLField,
} from 'graphql';

/*
 * Most of an answer are leaves that lie on a row as the answer wants them. They are taken over by a function made once per
 * selection: it reads each column by name, looks at its type, and gives an object with all keys of the selection in their order.
 */

/** A leaf without a resolver. */
export interface PlainLeaf {
  readonly name: string;
  readonly nullable: boolean;
  readonly kind: 'text' | 'enum' | 'boolean' | 'whole';
  readonly names: ReadonlySet<string> | null;
}

/** Scalars that nobody has given a body (`Date`, `DateTime`) go out as they came in. */
const { serialize: asItIs } = new GraphQLScalarType({ name: 'AsItIs' });

/** `null`: the field needs a resolver, or a serializer that is not known here. */
export function plainLeaf({ name, type, resolve }: GraphQLField<unknown, unknown>): PlainLeaf | null {
  const named = getNullableType(type);
  if (resolve !== undefined || !isLeafType(named)) return null;
  const leaf = { name, nullable: !isNonNullType(type), names: null };
  if (isEnumType(named)) return { ...leaf, kind: 'enum', names: namesOf(named) };
  if (named.name === 'String' || named.name === 'ID' || named.serialize === asItIs) return { ...leaf, kind: 'text' };
  if (named.name === 'Boolean') return { ...leaf, kind: 'boolean' };
  return named.name === 'Int' ? { ...leaf, kind: 'whole' } : null;
}

/** Values of an enum that go out as they came in. */
export function namesOf(type: GraphQLEnumType): ReadonlySet<string> {
  return new Set(type.getValues().flatMap(({ name, value }) => (name === value ? [name] : [])));
}

/** What stands under a key: a leaf of the row, a text that is always the same, or (`null`) what somebody fills in later. */
export type Slot = readonly [key: string, content: PlainLeaf | string | null];

/** `null`: some leaf does not fit its type, so somebody has to look closer. */
export type TakeOver = (source: unknown) => Record<string, unknown> | null;

/** Keys and names come out of a document and a schema: GraphQL names, written as JSON all the same. */
export function compileTakeOver(slots: readonly Slot[]): TakeOver {
  const enums: ReadonlySet<string>[] = [];
  const checks: string[] = [];
  const properties = slots.map(([key, content], place) => {
    // In a literal, `__proto__` would set the prototype.
    const property = key === '__proto__' ? '["__proto__"]' : JSON.stringify(key);
    if (content === null || typeof content === 'string') return `${property}: ${JSON.stringify(content)}`;
    const value = `v${String(place)}`;
    checks.push(`let ${value} = source[${JSON.stringify(content.name)}];`);
    if (content.nullable) checks.push(`if (${value} === undefined) ${value} = null;`);
    const misfit = `!(${fits(content, value, enums)})`;
    checks.push(`if (${content.nullable ? `${value} !== null && ` : ''}${misfit}) return null;`);
    return `${property}: ${value}`;
  });
  const names = enums.map((_, nth) => `enum${String(nth)}`);
  const code = `return (source) => { ${checks.join(' ')} return { ${properties.join(', ')} }; };`;
  return (compileFunction(code, names) as (...sets: readonly ReadonlySet<string>[]) => TakeOver)(...enums);
}

function fits({ kind, names }: PlainLeaf, value: string, enums: ReadonlySet<string>[]): string {
  switch (kind) {
    case 'text':
      return `typeof ${value} === 'string'`;
    case 'boolean':
      return `typeof ${value} === 'boolean'`;
    case 'whole':
      return `(${value} | 0) === ${value}`;
    case 'enum':
      return `enum${String(enums.push(names ?? new Set()) - 1)}.has(${value})`;
  }
}
