import { getNullableType, isEnumType, isLeafType, isNonNullType, type GraphQLEnumType, type GraphQLField } from 'graphql';

/** A leaf without a resolver: it lies on the row as the answer wants it, or somebody has to look closer. */
export interface PlainLeaf {
  readonly name: string;
  readonly nullable: boolean;
  readonly kind: 'text' | 'enum' | 'boolean' | 'other';
  readonly names: ReadonlySet<string> | null;
}

export function plainLeaf({ name, type }: GraphQLField<unknown, unknown>): PlainLeaf | null {
  const nullable = !isNonNullType(type);
  const named = getNullableType(type);
  if (!isLeafType(named)) return null;
  if (isEnumType(named)) return { name, nullable, kind: 'enum', names: namesOf(named) };
  const kind = named.name === 'String' || named.name === 'ID' ? 'text' : named.name === 'Boolean' ? 'boolean' : 'other';
  return { name, nullable, kind, names: null };
}

/** Values of an enum that go out as they came in. */
export function namesOf(type: GraphQLEnumType): ReadonlySet<string> {
  return new Set(type.getValues().flatMap(({ name, value }) => (name === value ? [name] : [])));
}

/** Takes over a leaf that lies on the row and fits its type; false: somebody has to look closer. */
export function takeOver(
  leaf: PlainLeaf,
  source: Readonly<Record<string, unknown>>,
  holder: Record<string, unknown>,
  key: string,
): boolean {
  const value = source[leaf.name];
  if (typeof value === 'string') {
    if (leaf.kind !== 'text' && leaf.names?.has(value) !== true) return false;
  } else if (typeof value === 'boolean') {
    if (leaf.kind !== 'boolean') return false;
  } else {
    if (value !== null && value !== undefined) return false;
    if (!leaf.nullable) return false;
    holder[key] = null;
    return true;
  }
  holder[key] = value;
  return true;
}
