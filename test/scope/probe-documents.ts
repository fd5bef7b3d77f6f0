import {
  getNamedType,
  isNonNullType,
  isObjectType,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
} from 'graphql';

/*
 * What the probes select, made from the schema, so that a field that is new is drawn from its first day. Whatever has an id is asked with
 * `__typename id`, by which the answer is held against the tables.
 */

/** One part per field of a type: a probe draws some of them. */
export function partsOf(schema: GraphQLSchema, typeName: string): readonly string[] {
  const type = objectNamed(schema, typeName);
  return Object.values(type.getFields())
    .filter(({ name }) => name !== 'id')
    .map((field) => part(field, 1));
}

/** `first` is asked small wherever a list has it, and what must be given is given. */
function head({ name, args }: GraphQLField<unknown, unknown>): string {
  const given = args.flatMap((argument) => {
    if (argument.name === 'first') return ['first: 3'];
    if (!isNonNullType(argument.type)) return [];
    if (argument.name === 'at') return ['at: "2026-11-20T00:00:00Z"'];
    throw new Error(`${name} must be given ${argument.name}: say what the probes give`);
  });
  return given.length === 0 ? name : `${name}(${given.join(', ')})`;
}

function part(field: GraphQLField<unknown, unknown>, depth: number): string {
  const type = objectOf(field.type);
  return type === null ? head(field) : `${head(field)} { ${inside(type, depth)} }`;
}

/** `depth`: how many records may still stand in one another. */
function inside(type: GraphQLObjectType, depth: number): string {
  const fields = Object.values(type.getFields());
  if (type.name.endsWith('Connection')) {
    return fields
      .map((field) => (field.name === 'edges' ? 'edges { cursor node { __typename id } }' : part(field, depth)))
      .join(' ');
  }
  if (!('id' in type.getFields())) return fields.map((field) => part(field, depth)).join(' ');
  const leaves = fields.filter((field) => objectOf(field.type) === null).map(head);
  const values = fields.filter((field) => isValue(field)).map((field) => part(field, 0));
  const further = depth === 0 ? [] : fields.filter(leadsOn).map((field) => part(field, depth - 1));
  return ['__typename', ...leaves, ...values, ...further].join(' ');
}

/** An object without an id of its own, as an address is. */
function isValue(field: GraphQLField<unknown, unknown>): boolean {
  const type = objectOf(field.type);
  return type !== null && !('id' in type.getFields()) && !type.name.endsWith('Connection') && field.args.every(isOptional);
}

const isOptional = ({ type }: GraphQLField<unknown, unknown>['args'][number]): boolean => !isNonNullType(type);

/** From a record to the person, his cards, or the unit: the nesting that carries a reference from one subgraph to another. */
function leadsOn(field: GraphQLField<unknown, unknown>): boolean {
  return ['citizen', 'insuranceCards', 'cardInForce', 'orgUnit', 'parent'].includes(field.name);
}

function objectOf(type: GraphQLOutputType): GraphQLObjectType | null {
  const named = getNamedType(type);
  return isObjectType(named) ? named : null;
}

function objectNamed(schema: GraphQLSchema, name: string): GraphQLObjectType {
  const type = schema.getType(name);
  if (!isObjectType(type)) throw new Error(`${name} is no type of the graph`);
  return type;
}

/** `Type.field` of whatever can be reached from a question. */
export function reachable(schema: GraphQLSchema): ReadonlySet<string> {
  const found = new Set<string>();
  const walk = (type: GraphQLObjectType): void => {
    for (const field of Object.values(type.getFields())) {
      const coordinate = `${type.name}.${field.name}`;
      if (found.has(coordinate)) continue;
      found.add(coordinate);
      const next = objectOf(field.type);
      if (next !== null) walk(next);
    }
  };
  walk(objectNamed(schema, 'Query'));
  return found;
}
