import {
  Kind,
  TypeInfo,
  isObjectType,
  visit,
  visitWithTypeInfo,
  type FieldNode,
  type GraphQLResolveInfo,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { collectSubfields } from 'graphql/execution/collectFields.js';
import { getArgumentValues } from 'graphql/execution/values.js';

/** Fields that an operation asks anywhere, by type. What a condition leaves out counts as asked. */
export type Asked = ReadonlyMap<string, ReadonlySet<string>>;

const ofOperations = new WeakMap<OperationDefinitionNode, Asked>();

/** What the operation asks, so that a read takes only those columns; found once per document. */
export function askedIn({ operation, fragments, schema }: GraphQLResolveInfo): Asked {
  const known = ofOperations.get(operation);
  if (known !== undefined) return known;
  const asked = new Map<string, Set<string>>();
  for (const definition of [operation, ...Object.values(fragments)]) {
    const types = new TypeInfo(schema);
    visit(
      definition,
      visitWithTypeInfo(types, {
        Field: ({ name }) => {
          const type = types.getParentType()?.name;
          if (type === undefined) return;
          const fields = asked.get(type);
          if (fields === undefined) asked.set(type, new Set([name.value]));
          else fields.add(name.value);
        },
      }),
    );
  }
  ofOperations.set(operation, asked);
  return asked;
}

const sums: ReadonlySet<string> = new Set(['totalCount', 'totalCountIsEstimate', '__typename']);
const onlySums = new WeakMap<FieldNode, boolean>();

/** Whether of a connection only its sums are asked, so that nobody in it is seen. A field under a condition counts as asked. */
export function countsOnly({ fieldNodes, fragments }: GraphQLResolveInfo): boolean {
  return fieldNodes.every((node) => {
    let known = onlySums.get(node);
    if (known === undefined) onlySums.set(node, (known = isOfSums(node.selectionSet, fragments)));
    return known;
  });
}

function isOfSums(set: SelectionSetNode | undefined, fragments: GraphQLResolveInfo['fragments']): boolean {
  return (
    set?.selections.every((selection) => {
      switch (selection.kind) {
        case Kind.FIELD:
          return sums.has(selection.name.value);
        case Kind.INLINE_FRAGMENT:
          return isOfSums(selection.selectionSet, fragments);
        case Kind.FRAGMENT_SPREAD:
          return isOfSums(fragments[selection.name.value]?.selectionSet, fragments);
      }
    }) ?? true
  );
}

/** Arguments of the fields that are asked of one type in one place. */
export class AskedPlace {
  readonly #arguments = new Map<string, Readonly<Record<string, unknown>>[]>();

  constructor(typeName: string, info: GraphQLResolveInfo) {
    const type = info.schema.getType(typeName);
    if (!isObjectType(type)) return;
    const fields = type.getFields();
    for (const [node] of collectSubfields(info.schema, info.fragments, info.variableValues, type, info.fieldNodes).values()) {
      const field = node === undefined ? undefined : fields[node.name.value];
      if (node === undefined || field === undefined) continue;
      const before = this.#arguments.get(field.name) ?? [];
      try {
        this.#arguments.set(field.name, [...before, getArgumentValues(field, node, info.variableValues)]);
      } catch {
        continue; // wrong arguments: the field fails when its own turn comes
      }
    }
  }

  /** One set of arguments for each time the field is asked, under whatever alias. */
  of(field: string): readonly Readonly<Record<string, unknown>>[] {
    return this.#arguments.get(field) ?? none;
  }
}

const none: readonly Readonly<Record<string, unknown>>[] = [];

/**
 * What one operation asks of the entities of one type, seen from the resolver of `_entities`: so that a reference is resolved by
 * the very read that its fields need, not by one of its own. Made anew for each operation; all references of a page stand in one
 * place of the document.
 */
export class AskedOfEntity {
  readonly #typeName: string;
  #last: { readonly node: FieldNode | undefined; readonly place: AskedPlace } | null = null;

  constructor(typeName: string) {
    this.#typeName = typeName;
  }

  at(info: GraphQLResolveInfo): AskedPlace {
    const [node] = info.fieldNodes;
    if (this.#last === null || this.#last.node !== node) this.#last = { node, place: new AskedPlace(this.#typeName, info) };
    return this.#last.place;
  }
}
