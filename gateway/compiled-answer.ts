import { compileFunction } from 'node:vm';
import {
  getNamedType,
  isEnumType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  type FragmentDefinitionNode,
  type GraphQLField,
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

/**
 * An object is written by a function made for its selection: every key is read by name at a place of its own, which is several
 * times faster than a loop over keys. What goes into its code are response keys, GraphQL names written as JSON.
 */
function writeObject(shape: Selecting, type: GraphQLObjectType, sets: readonly SelectionSetNode[]): Write {
  const writes: Write[] = [];
  const steps: string[] = [];
  const parts: string[] = [];
  for (const [key, nodes] of collectFields(shape, type, sets)) {
    const name = JSON.stringify(key);
    const start = `${parts.length === 0 ? '' : ','}${name}:`;
    const field = fieldOf(type, nodes[0].name.value);
    if (field === null) {
      parts.push(JSON.stringify(start + JSON.stringify(type.name)));
      continue;
    }
    const nth = String(writes.push(writeType(shape, field.type, setsOf(nodes))) - 1);
    // A key that every object inherits (`constructor`) counts only where it was given.
    const read = key in Object.prototype ? `(Object.hasOwn(object, ${name}) ? object[${name}] : null)` : `object[${name}]`;
    steps.push(`const t${nth} = w${nth}(${read});`);
    if (isNonNullType(field.type)) steps.push(`if (t${nth} === null) return null;`);
    parts.push(JSON.stringify(start), isNonNullType(field.type) ? `t${nth}` : `(t${nth} ?? 'null')`);
  }
  const names = writes.map((_, nth) => `w${String(nth)}`);
  // Every field of a selection may be skipped.
  if (parts.length === 0) parts.push(`''`);
  const code = `return (object) => { ${steps.join(' ')} return '{' + ${parts.join(' + ')} + '}'; };`;
  return (compileFunction(code, names) as (...inner: readonly Write[]) => Write)(...writes);
}

/** `null`: `__typename`. */
function fieldOf(parent: GraphQLObjectType, name: string): GraphQLField<unknown, unknown> | null {
  if (name === '__typename') return null;
  const field = name.startsWith('__') ? undefined : parent.getFields()[name];
  if (field === undefined) throw new NotUnderstood(`${parent.name}.${name}`);
  return field;
}

function setsOf(nodes: FieldNodes): readonly SelectionSetNode[] {
  return nodes.flatMap((node) => (node.selectionSet === undefined ? [] : [node.selectionSet]));
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
