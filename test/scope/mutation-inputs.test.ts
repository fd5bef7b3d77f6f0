import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  getNamedType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
  type GraphQLInputObjectType,
  type GraphQLInputType,
} from 'graphql';
import { silentLog } from '#kernel/log.ts';
import { readSupergraph } from '../../gateway/compose.ts';
import { openGateway, type Gateway, type OperationAnswer } from '../../gateway/gateway.ts';
import { allSubgraphs } from '../../subgraphs/all.ts';
import { anyCaller } from '../differential/compare.ts';
import { openGatewaySchema } from './public-schema.ts';

/* What the schema alone refuses of a mutation, over every mutation there is: a new one stands here by itself. */

const schema = openGatewaySchema();
const mutations = Object.values(schema.getMutationType()?.getFields() ?? {});

let gateway: Gateway;
let asked = 0;

beforeAll(async () => {
  gateway = await openGateway({
    supergraph: readSupergraph(),
    doors: allSubgraphs.map(({ name }) => ({
      name,
      execute: () => {
        asked += 1;
        return Promise.resolve({ data: null, errors: [], audit: () => Promise.resolve() });
      },
    })),
    production: true,
    log: silentLog,
  });
});
afterAll(() => gateway.stop());

/** Something that fits the type: of an object what it must have, and no more. */
function fitting(type: GraphQLInputType): unknown {
  if (isNonNullType(type)) return fitting(type.ofType);
  if (isListType(type)) return [fitting(type.ofType)];
  if (isEnumType(type)) return type.getValues()[0]?.name;
  if (isInputObjectType(type)) {
    const required = Object.values(type.getFields()).filter((field) => isNonNullType(field.type));
    return Object.fromEntries(required.map((field) => [field.name, fitting(field.type)]));
  }
  switch (type.name) {
    case 'Int':
    case 'Float':
      return 1;
    case 'Boolean':
      return true;
    default:
      return '2026-01-01';
  }
}

/** As it stands in a document; names of enum values without quotes. */
function literal(value: unknown, type: GraphQLInputType): string {
  const bare = isNonNullType(type) ? type.ofType : type;
  if (isListType(bare)) return `[${(value as unknown[]).map((item) => literal(item, bare.ofType)).join(', ')}]`;
  if (isEnumType(bare)) return String(value);
  if (!isInputObjectType(bare)) return JSON.stringify(value);
  const fields = bare.getFields();
  const parts = Object.entries(value as object).map(([name, inner]) => {
    const field = fields[name];
    return `${name}: ${field === undefined ? JSON.stringify(inner) : literal(inner, field.type)}`;
  });
  return `{${parts.join(', ')}}`;
}

function inputOf(name: string): GraphQLInputObjectType {
  const [argument] = mutations.find((one) => one.name === name)?.args ?? [];
  const type = argument === undefined ? undefined : getNamedType(argument.type);
  if (!isInputObjectType(type)) throw new Error(`${name} takes no input`);
  return type;
}

async function send(name: string, input: object): Promise<readonly OperationAnswer[]> {
  const type = inputOf(name);
  const ask = (query: string, variables: object): Promise<OperationAnswer> =>
    gateway.answer({ query, operationName: null, variables: { ...variables } }, anyCaller, AbortSignal.timeout(5_000));
  return [
    await ask(`mutation ($input: ${type.name}!) { ${name}(input: $input) { error { code } } }`, { input }),
    await ask(`mutation { ${name}(input: ${literal(input, type)}) { error { code } } }`, {}),
  ];
}

const asRefused = { status: 400, codes: ['BAD_INPUT'], asked: 0 };

async function judged(name: string, input: object): Promise<readonly object[]> {
  asked = 0;
  return (await send(name, input)).map(({ status, codes }) => ({ status, codes: [...new Set(codes)], asked }));
}

describe.each(mutations.map(({ name }) => name))('%s', (name) => {
  const valid = fitting(inputOf(name)) as Readonly<Record<string, unknown>>;

  test('takes one input that must be there, and answers ok or error', async () => {
    const field = mutations.find((one) => one.name === name);
    expect(field?.args.map((argument) => [argument.name, isNonNullType(argument.type)])).toEqual([['input', true]]);
    const payload = field === undefined ? undefined : getNamedType(field.type);
    expect(isObjectType(payload) ? Object.keys(payload.getFields()) : []).toEqual(expect.arrayContaining(['ok', 'error']));
    asked = 0;
    for (const { status } of await send(name, valid)) expect(status).toBe(200);
    expect(asked).toBe(2);
  });

  test('with a field that the schema does not know is refused before anybody is asked [B28]', async () => {
    expect(await judged(name, { ...valid, isAdmin: true })).toEqual([asRefused, asRefused]);
  });

  if (/^(?:create|start)[A-Z]/.test(name)) {
    test('makes something new, so it names no version', () => {
      expect(inputOf(name).getFields().version).toBeUndefined();
    });
  } else {
    test('without the version that it was decided on is refused before anybody is asked [B26]', async () => {
      const { version, ...without } = valid;
      expect(version).toBe(1);
      expect(await judged(name, without)).toEqual([asRefused, asRefused]);
      expect(await judged(name, { ...without, version: null })).toEqual([asRefused, asRefused]);
      expect(await judged(name, { ...without, version: 'x' })).toEqual([asRefused, asRefused]);
    });
  }
});
