import {
  getNamedType,
  isEnumType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  type FragmentDefinitionNode,
  type GraphQLLeafType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { collectFields, type FieldNodes, type Selecting } from '#kernel/graph/collect-fields.ts';
import { NotUnderstood } from '#kernel/graph/compiled-operation.ts';
import type { Variables } from './subgraph-access.ts';

/*
 * The last step of an operation: what the subgraphs gave, merged, becomes the text of the answer. Only what was asked for is
 * written, in its order and under its aliases; a null where the schema allows none rises as in the gateway's own post-processing
 * (`resultShaping` of @apollo/gateway), which also says nothing of it in `errors`.
 */

/** Text of a value, or null where the value is null (its parent decides what becomes of that). */
type Write = (value: unknown) => string | null;

/** Text of `data`. What it does not understand (abstract types, introspection) throws {@link NotUnderstood} when it is compiled. */
export function compileAnswer(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  fragments: Readonly<Record<string, FragmentDefinitionNode>>,
  conditions: Variables,
): (data: Record<string, unknown>) => string {
  const root = schema.getRootType(operation.operation);
  if (root === undefined || root === null) throw new NotUnderstood(operation.operation);
  const write = writeObject({ schema, fragments, conditions }, root, [operation.selectionSet]);
  return (data) => write(data) ?? 'null';
}

function writeObject(shape: Selecting, type: GraphQLObjectType, sets: readonly SelectionSetNode[]): Write {
  const fields = [...collectFields(shape, type, sets)].map(([key, nodes], index) =>
    writeField(shape, type, key, nodes, index === 0),
  );
  return (value) => {
    let text = '{';
    for (const { name, nonNull, write, own, start, startNull } of fields) {
      if (write === null) {
        text += start;
        continue;
      }
      const object = value as Record<string, unknown>;
      const inner = own && !Object.hasOwn(object, name) ? null : write(object[name]);
      if (inner !== null) text += start + inner;
      else if (nonNull) return null;
      else text += startNull;
    }
    return `${text}}`;
  };
}

interface WriteField {
  /** Response key. */
  readonly name: string;
  readonly nonNull: boolean;
  /** `null`: the value is known (`__typename`) and stands in `start`. */
  readonly write: Write | null;
  /** A key that every object inherits (`constructor`) counts only where it was given. */
  readonly own: boolean;
  readonly start: string;
  readonly startNull: string;
}

function writeField(shape: Selecting, parent: GraphQLObjectType, name: string, nodes: FieldNodes, first: boolean): WriteField {
  const fieldName = nodes[0].name.value;
  const start = `${first ? '' : ','}${JSON.stringify(name)}:`;
  const common = { name, own: name in Object.prototype, start, startNull: `${start}null` };
  if (fieldName === '__typename') return { ...common, nonNull: true, write: null, start: start + JSON.stringify(parent.name) };
  const field = fieldName.startsWith('__') ? undefined : parent.getFields()[fieldName];
  if (field === undefined) throw new NotUnderstood(`${parent.name}.${fieldName}`);
  const sets = nodes.flatMap((node) => (node.selectionSet === undefined ? [] : [node.selectionSet]));
  return { ...common, nonNull: isNonNullType(field.type), write: writeType(shape, field.type, sets) };
}

function writeType(shape: Selecting, type: GraphQLOutputType, sets: readonly SelectionSetNode[]): Write {
  if (isNonNullType(type)) return writeType(shape, type.ofType, sets); // the parent looks after the null
  if (isListType(type)) return writeList(shape, type.ofType, sets);
  if (isLeafType(type)) return writeLeaf(type);
  if (isObjectType(type)) {
    const write = writeObject(shape, type, sets);
    return (value) => (value === null || value === undefined ? null : write(value));
  }
  throw new NotUnderstood(`${getNamedType(type).name} is abstract`);
}

function writeList(shape: Selecting, itemType: GraphQLOutputType, sets: readonly SelectionSetNode[]): Write {
  const write = writeType(shape, itemType, sets);
  const nonNull = isNonNullType(itemType);
  return (value) => {
    if (value === null || value === undefined) return null;
    if (!Array.isArray(value)) throw new TypeError('A subgraph gave no list where the schema has one.');
    let text = '[';
    for (let index = 0; index < value.length; index += 1) {
      const inner = write(value[index]);
      if (inner === null && nonNull) return null;
      text += index === 0 ? (inner ?? 'null') : `,${inner ?? 'null'}`;
    }
    return `${text}]`;
  };
}

// Characters that JSON escapes, and halves of pairs, which JSON.stringify writes as escapes.
const escaped = /["\\\u0000-\u001f\ud800-\udfff]/;

function writeText(text: string): string {
  return escaped.test(text) ? JSON.stringify(text) : `"${text}"`;
}

/** What the gateway's post-processing takes for a value of the type; anything else is null. */
function writeLeaf(type: GraphQLLeafType): Write {
  if (isEnumType(type)) {
    const texts = new Map(type.getValues().map(({ name }) => [name, `"${name}"`]));
    return (value) => texts.get(value as string) ?? null;
  }
  switch (type.name) {
    case 'Int':
      return (value) =>
        typeof value === 'number' && Number.isInteger(value) && value <= 2147483647 && value >= -2147483648
          ? String(value)
          : null;
    case 'Float':
      return (value) => (typeof value === 'number' && Number.isFinite(value) ? String(value) : null);
    case 'String':
      return (value) => (typeof value === 'string' ? writeText(value) : null);
    case 'Boolean':
      return (value) => (typeof value === 'boolean' ? String(value) : null);
    case 'ID':
      return (value) =>
        typeof value === 'string'
          ? writeText(value)
          : typeof value === 'number' && Number.isInteger(value)
            ? String(value)
            : null;
    default:
      return (value) =>
        typeof value === 'string' ? writeText(value) : value === null || value === undefined ? null : JSON.stringify(value);
  }
}
