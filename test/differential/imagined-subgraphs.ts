import { buildSubgraphSchema } from '@apollo/subgraph';
import {
  getNamedType,
  isEnumType,
  isListType,
  isNonNullType,
  isObjectType,
  parse,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
} from 'graphql';
import { fileURLToPath } from 'node:url';
import type { SubgraphName } from '#kernel/audit/audit.ts';
import { HubError } from '#kernel/errors/hub-error.ts';
import { readSubgraphSdl } from '#kernel/graph/sdl.ts';
import type { SubgraphContext, SubgraphModule, TypeResolvers } from '#kernel/subgraph.ts';

/*
 * Subgraphs without a database: any schema, every field answered, the same answer for the same question. What a field gives is
 * decided by a hash of where it stands: a value, a promise of one, null (also where the schema allows none), or an error.
 */

export interface Moods {
  /** Of a thousand fields: how many throw, and how many are null although the schema says otherwise. */
  readonly failing: number;
  readonly breaching: number;
  /** Trouble only as a promise, never at once. */
  readonly late: boolean;
}

interface Imagined {
  readonly $seed: string;
  readonly [field: string]: unknown;
}

export function imaginedSubgraph(name: SubgraphName, schema: URL, moods: Moods): SubgraphModule {
  const built = buildSubgraphSchema(parse(readSubgraphSdl(schema)));
  return {
    name,
    schema,
    open: () => ({
      resolvers: resolversOf(built, moods),
      context: (call): SubgraphContext => ({ call }),
      close: async () => undefined,
    }),
  };
}

function resolversOf(schema: GraphQLSchema, moods: Moods): Record<string, TypeResolvers> {
  const resolvers: Record<string, Record<string, unknown>> = {};
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('_')) continue;
    const fields: Record<string, unknown> = {};
    for (const field of Object.values(type.getFields())) {
      if (field.name.startsWith('_') || isPlain(schema, type, field.name)) continue;
      fields[field.name] = (parent: Imagined | undefined, args: Record<string, unknown>, context: SubgraphContext) => {
        const seed = `${parent?.$seed ?? ''}.${field.name}${Object.keys(args).length === 0 ? '' : JSON.stringify(args)}`;
        if (type.name === 'Citizen') context.call.note('citizen.read', String(parent?.id));
        if (field.name === 'id' && isEntity(type)) return parent?.id;
        if (hash(`${seed}!`) % 1000 < moods.failing) return fail(seed, moods.late);
        const breach = isNonNullType(field.type) && hash(`${seed}?`) % 1000 < moods.breaching;
        const value = breach ? null : imagine(schema, field.type, seed);
        return hash(`${seed}~`) % 3 === 0 || (breach && moods.late) ? Promise.resolve(value) : value;
      };
    }
    if (isEntity(type)) {
      fields.__resolveReference = (reference: { id: string }) => {
        const fate = hash(`${type.name}${reference.id}`) % 20;
        if (fate === 0) return null;
        const entity = entityOf(schema, type, reference.id);
        return fate < 8 ? Promise.resolve(entity) : entity;
      };
    }
    resolvers[type.name] = fields;
  }
  return resolvers;
}

function fail(seed: string, late: boolean): unknown {
  const error =
    hash(`${seed}#`) % 2 === 0
      ? new HubError('FORBIDDEN', 'ROLE_LACKS_RIGHT')
      : new HubError('BAD_INPUT', 'PAGE_SIZE_RANGE', { field: 'first' });
  if (!late && hash(`${seed}%`) % 2 === 0) throw error;
  return Promise.reject(error);
}

/** A leaf that has no resolver: it lies on the object. */
function isPlain(schema: GraphQLSchema, type: GraphQLObjectType, fieldName: string): boolean {
  const field = type.getFields()[fieldName];
  if (field === undefined || type === schema.getQueryType() || type === schema.getMutationType()) return false;
  return field.args.length === 0 && !isObjectType(getNamedType(field.type)) && hash(`${type.name}.${fieldName}`) % 2 === 0;
}

function isEntity(type: GraphQLObjectType): boolean {
  return type.astNode?.directives?.some(({ name }) => name.value === 'key') === true;
}

function entityOf(schema: GraphQLSchema, type: GraphQLObjectType, id: string): Imagined {
  return { ...objectOf(schema, type, `${type.name}:${id}`), id };
}

function objectOf(schema: GraphQLSchema, type: GraphQLObjectType, seed: string): Imagined {
  const object: Record<string, unknown> = { $seed: seed };
  for (const field of Object.values(type.getFields())) {
    if (isPlain(schema, type, field.name)) object[field.name] = imagine(schema, field.type, `${seed}.${field.name}`);
  }
  return object as Imagined;
}

function imagine(schema: GraphQLSchema, type: GraphQLOutputType, seed: string): unknown {
  const h = hash(seed);
  if (isNonNullType(type)) return imagine(schema, type.ofType as GraphQLOutputType, `${seed}+`);
  if (h % 11 === 0 && !seed.endsWith('+')) return null;
  if (isListType(type))
    return Array.from({ length: h % 4 }, (_, index) => imagine(schema, type.ofType, `${seed}[${String(index)}]`));
  if (isObjectType(type)) {
    return isEntity(type) ? entityOf(schema, type, `${type.name.toLowerCase()}-${String(h % 9)}`) : objectOf(schema, type, seed);
  }
  if (isEnumType(type)) return type.getValues()[h % type.getValues().length]?.name;
  switch (getNamedType(type).name) {
    case 'Int':
      return h % 100;
    case 'Float':
      return (h % 100) / 8;
    case 'Boolean':
      return h % 2 === 0;
    default:
      return texts[h % texts.length];
  }
}

const texts = [
  'Nguyễn Văn An',
  'a "quoted" \\ text',
  'two\nlines\t',
  '',
  '1985',
  '2026-11-24',
  '😀 pair',
  '\u2028',
  '038•••••0001',
];

export function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) h = Math.imul(h ^ text.charCodeAt(index), 0x01000193);
  h ^= h >>> 15;
  h = Math.imul(h, 0x2c1b3c6d);
  return (h ^ (h >>> 13)) >>> 0;
}

export function schemaOf(subgraph: string): URL {
  return new URL(`../../subgraphs/${subgraph}/schema.graphql`, import.meta.url);
}

export function pathOf(url: URL): string {
  return fileURLToPath(url);
}
