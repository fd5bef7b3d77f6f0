import { isObjectType, type FieldNode, type GraphQLResolveInfo } from 'graphql';
import { collectSubfields } from 'graphql/execution/collectFields.js';
import { getArgumentValues } from 'graphql/execution/values.js';

/** A field that an operation asks of an object, with the values of its arguments. */
export interface AskedField {
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
}

const known = new WeakMap<object, Map<FieldNode | undefined, Map<string, readonly AskedField[]>>>();

/**
 * What an operation asks of the entities of one type, seen from the resolver of `_entities`: so that a reference is resolved by
 * the very read that its fields need, not by one of its own. Remembered per operation, of which `context` is the context value.
 * A field whose arguments are wrong is left out; it fails when its own turn comes.
 */
export function askedOf(typeName: string, context: object, info: GraphQLResolveInfo): readonly AskedField[] {
  const ofOperation = entryOf(known, context, () => new Map<FieldNode | undefined, Map<string, readonly AskedField[]>>());
  const ofPlace = entryOf(ofOperation, info.fieldNodes[0], () => new Map<string, readonly AskedField[]>());
  return entryOf(ofPlace, typeName, () => collect(typeName, info));
}

function entryOf<Key, Value>(
  map: { get(key: Key): Value | undefined; set(key: Key, value: Value): unknown },
  key: Key,
  make: () => Value,
): Value {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}

function collect(typeName: string, info: GraphQLResolveInfo): readonly AskedField[] {
  const type = info.schema.getType(typeName);
  if (!isObjectType(type)) return [];
  const fields = type.getFields();
  const asked: AskedField[] = [];
  for (const [node] of collectSubfields(info.schema, info.fragments, info.variableValues, type, info.fieldNodes).values()) {
    const field = node === undefined ? undefined : fields[node.name.value];
    if (node === undefined || field === undefined) continue;
    try {
      asked.push({ name: field.name, args: getArgumentValues(field, node, info.variableValues) });
    } catch {
      continue;
    }
  }
  return asked;
}
