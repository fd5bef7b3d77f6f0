import { isAbstractType, type GraphQLResolveInfo, type GraphQLSchema } from 'graphql';
import { isPromise } from './operation-run.ts';

/** An entity with the type the gateway asked for: nothing is written onto the row, which others may share. */
export class ResolvedEntity {
  readonly typeName: string;
  readonly value: unknown;
  constructor(typeName: string, value: unknown) {
    this.typeName = typeName;
    this.value = value;
  }
}

type ResolveReference = (reference: unknown, context: unknown, info: GraphQLResolveInfo) => unknown;

function resolveReferenceOf(schema: GraphQLSchema, typeName: string): ResolveReference | null {
  const extensions = schema.getType(typeName)?.extensions as
    { apollo?: { subgraph?: { resolveReference?: ResolveReference } } } | undefined;
  return extensions?.apollo?.subgraph?.resolveReference ?? null;
}

/** `_entities`: each reference is resolved by its type's own resolver; one that fails leaves the others. */
export function entitiesResolver(
  schema: GraphQLSchema,
): (source: unknown, args: Record<string, unknown>, context: unknown, info: GraphQLResolveInfo) => unknown {
  const references = new Map<string, ResolveReference | null>();
  const entity = schema.getType('_Entity');
  const entityTypes = new Set(isAbstractType(entity) ? schema.getPossibleTypes(entity).map(({ name }) => name) : []);
  return (_source, args, context, info) =>
    (args.representations as readonly Record<string, unknown>[]).map((reference) => {
      const typeName = reference.__typename;
      if (typeof typeName !== 'string' || !entityTypes.has(typeName)) throw new Error('Not an entity of this subgraph.');
      let resolve = references.get(typeName);
      if (resolve === undefined) {
        resolve = resolveReferenceOf(schema, typeName);
        references.set(typeName, resolve);
      }
      const tag = (value: unknown): ResolvedEntity | null =>
        value === null || value === undefined ? null : new ResolvedEntity(typeName, value);
      if (resolve === null) return tag(reference);
      try {
        const value = resolve(reference, context, info);
        return isPromise(value) ? value.then(tag) : tag(value);
      } catch (error) {
        return Promise.reject(error instanceof Error ? error : new Error('A reference failed.', { cause: error }));
      }
    });
}
