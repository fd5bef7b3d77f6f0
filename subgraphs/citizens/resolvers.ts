import {
  Kind,
  isCompositeType,
  isObjectType,
  getNamedType,
  type FieldNode,
  type GraphQLResolveInfo,
  type SelectionSetNode,
} from 'graphql';
import { unitId } from '#kernel/domain/ids.ts';
import { refusal } from '#kernel/errors/hub-error.ts';
import { countsOnly } from '#kernel/graph/asked.ts';
import { mutationPayload } from '#kernel/graph/mutation-payload.ts';
import type { SubgraphContext, TypeResolvers } from '#kernel/subgraph.ts';
import type { UndoChange } from '#kernel/records/undo.ts';
import type { CitizenChanges, CreateCitizen, UpdateCitizen, WithdrawCitizen } from './changes.ts';
import { askedBit, askedNothing, type Asked, type CitizenRow, type IdentifierRow } from './citizen-reads.ts';
import type { Count } from './citizen-search.ts';
import type { Citizens, CitizensQuery, DiscrepanciesQuery, Page, ResolvedNumber } from './citizens.ts';
import type { DiscrepancyRow } from './discrepancy-reads.ts';
import { fieldStatuses } from './field-status.ts';
import type { RunStarts, StartReconcile } from './run-starts.ts';
import type { SettleDiscrepancy, SettledIds } from './settlement.ts';

/** Translates the graph's questions into the service's and rows into the graph's shapes; no rule stands here. */
export function citizenResolvers(
  citizens: Citizens,
  changes: CitizenChanges | null,
  starts: RunStarts | null,
): Readonly<Record<string, TypeResolvers>> {
  type Found = CitizenRow | ResolvedNumber;
  return {
    Mutation: {
      createCitizen: async (_: unknown, { input }: Given<CreateCitizen>, { call }: SubgraphContext) =>
        mutationPayload(await writing(changes).create(call.caller, input), call),
      updateCitizen: async (_: unknown, { input }: Given<UpdateCitizen>, { call }: SubgraphContext) =>
        mutationPayload(await writing(changes).update(call.caller, input), call),
      withdrawCitizen: async (_: unknown, { input }: Given<WithdrawCitizen>, { call }: SubgraphContext) =>
        mutationPayload(await writing(changes).withdraw(call.caller, input), call),
      undoCitizenChange: async (_: unknown, { input }: Given<UndoChange>, { call }: SubgraphContext) =>
        mutationPayload(await writing(changes).undo(call.caller, input), call),
      settleDiscrepancy: async (_: unknown, { input }: Given<SettleDiscrepancy>, { call }: SubgraphContext) =>
        mutationPayload(await writing(changes).settle(call.caller, input), call),
      startReconcile: async (_: unknown, { input }: Given<StartReconcile>, { call }: SubgraphContext) =>
        mutationPayload(await writing(starts).reconcile(call.caller, input), call),
    },
    SettledDiscrepancy: {
      discrepancy: ({ discrepancy }: SettledIds, _: unknown, { call }: SubgraphContext) =>
        citizens.discrepancy(call, discrepancy),
      citizen: ({ citizen }: SettledIds, _: unknown, { call }: SubgraphContext, info: GraphQLResolveInfo) =>
        citizens.referred(call, citizen, askedOf(info)),
      changeId: ({ change }: SettledIds) => change,
    },
    ChangedCitizen: {
      citizen: ({ citizen }: { readonly citizen: string }, _: unknown, { call }: SubgraphContext, info: GraphQLResolveInfo) =>
        citizens.referred(call, citizen, askedOf(info)),
    },
    Query: {
      citizen: async (
        _: unknown,
        key: { readonly id?: string | null; readonly personalId?: string | null },
        { call }: SubgraphContext,
        info: GraphQLResolveInfo,
      ): Promise<object | null> => {
        const found = await citizens.find(call, key, askedOf(info));
        return found !== null && isResolvedOnly(found) ? onlyId(found) : found;
      },
      citizens: (_: unknown, query: CitizensQuery, { call }: SubgraphContext, info: GraphQLResolveInfo) =>
        citizens.list(call, { ...query, countsOnly: countsOnly(info) }, askedOf(info)),
      fieldCounts: (_: unknown, { orgUnit }: { readonly orgUnit?: string | null }, { call }: SubgraphContext) =>
        citizens.fieldCounts(call, orgUnit),
      discrepancies: (_: unknown, query: DiscrepanciesQuery, { call }: SubgraphContext, info: GraphQLResolveInfo) =>
        citizens.discrepancies(call, { ...query, countsOnly: countsOnly(info) }),
    },
    Citizen: {
      __resolveReference: ({ id }: { readonly id: unknown }, { call }: SubgraphContext, info: GraphQLResolveInfo) =>
        citizens.referred(call, String(id), askedOf(info)),
      orgUnit: (citizen: Found) => ({ id: unitId(full(citizen).unitNo) }),
      identifiers: async (citizen: Found, _: unknown, { call }: SubgraphContext) =>
        (await citizens.identifiers(call, full(citizen).id)).map(identifier),
      dateOfBirth: (citizen: Found) => {
        const { dateOfBirth: value, birthPrecision: precision } = full(citizen);
        return value === null ? null : { value, precision };
      },
      permanentAddress: (citizen: Found) => {
        const { permanentText, permanentCode, permanentList, permanentCurrentCode, permanentConfidence } = full(citizen);
        return address(permanentText, permanentCode, permanentList, permanentCurrentCode, permanentConfidence);
      },
      currentAddress: (citizen: Found) => {
        const { currentText, currentCode, currentList, currentCurrentCode, currentConfidence } = full(citizen);
        return address(currentText, currentCode, currentList, currentCurrentCode, currentConfidence);
      },
      fieldStatuses: (citizen: Found) => {
        const { states, conflicted, checkSource, checkedAt } = full(citizen);
        return fieldStatuses(states, conflicted, checkedAt === undefined ? null : { source: checkSource ?? [], at: checkedAt });
      },
      discrepancies: (citizen: Found, _: unknown, { call }: SubgraphContext) =>
        citizens.openDiscrepancies(call, full(citizen).id),
      history: (
        citizen: Found,
        query: { readonly first?: number | null; readonly after?: string | null },
        { call }: SubgraphContext,
      ) => citizens.history(call, full(citizen).id, query),
      asOf: (citizen: Found, { at }: { readonly at: unknown }, { call }: SubgraphContext) =>
        citizens.asOf(call, full(citizen).id, at),
    },
    Discrepancy: {
      __resolveReference: ({ id }: { readonly id: unknown }, { call }: SubgraphContext) => citizens.discrepancy(call, String(id)),
      citizen: (item: DiscrepancyRow, _: unknown, { call }: SubgraphContext, info: GraphQLResolveInfo) => {
        const asked = askedOf(info);
        return asked === askedNothing && asksOnlyId(info)
          ? { id: item.citizenId }
          : citizens.referred(call, item.citizenId, asked);
      },
      orgUnit: ({ unitNo }: DiscrepancyRow) => ({ id: unitId(unitNo) }),
    },
    CitizenConnection: listed,
    DiscrepancyConnection: listed,
    ChangeConnection: listed,
  };
}

interface Given<Input> {
  readonly input: Input;
}

/** A process that was given no way to write says so instead of pretending. */
function writing<Writer>(changes: Writer | null): Writer {
  if (changes === null) throw refusal('DATABASE_AWAY', { cause: new Error('this process was opened without changes') });
  return changes;
}

function isResolvedOnly(citizen: CitizenRow | ResolvedNumber): citizen is ResolvedNumber {
  return 'resolvedOnly' in citizen;
}

function full(citizen: CitizenRow | ResolvedNumber): CitizenRow {
  if (isResolvedOnly(citizen)) throw refusal('ROLE_LACKS_RIGHT');
  return citizen;
}

function forbidden(): never {
  throw refusal('ROLE_LACKS_RIGHT');
}

/** A person of whom only the id may be told: fields that have no resolver of their own are called, and refuse. */
function onlyId({ id }: ResolvedNumber): object {
  const fields = [
    'version',
    'lifeStatus',
    'personalId',
    'oldIdNumber',
    'fullName',
    'gender',
    'ethnicity',
    'phone',
    'email',
    'birthplace',
    'nativePlace',
  ];
  return { ...Object.fromEntries(fields.map((field) => [field, forbidden])), id, resolvedOnly: true };
}

function identifier({ system, value, validFrom, validTo, standing, source }: IdentifierRow): object {
  return { system, value, period: { start: validFrom, end: validTo }, standing, source };
}

function address(...[text, code, listVersion, currentCode, confidence]: readonly (string | null)[]): object | null {
  return text === null && code === null ? null : { text, code, listVersion, currentCode, confidence };
}

/** Edges and sums of a list are made when they are asked for; both sums are one count. */
const listed: TypeResolvers = {
  edges: (page: Page<unknown>) => page.nodes.map((node) => ({ node, cursor: page.cursorOf(node) })),
  totalCount: async (page: Page<unknown>) => (await countOf(page)).total,
  totalCountIsEstimate: async (page: Page<unknown>) => (await countOf(page)).isEstimate,
};

const counts = new WeakMap<object, Promise<Count>>();

function countOf(page: Page<unknown>): Promise<Count> {
  const known = counts.get(page);
  if (known !== undefined) return known;
  const count = page.count();
  counts.set(page, count);
  return count;
}

interface AskedPlace {
  readonly nodes: readonly FieldNode[];
  readonly asked: Asked;
}

/** By the first node of the field: an operation is parsed once and run many times. */
const askedPlaces = new WeakMap<FieldNode, AskedPlace>();

/**
 * Which columns the answer below this field needs of citizens, wherever they stand in it (`nodes`, `edges { node }`, the entities of a
 * reference). A field under `@skip` or `@include` counts as asked.
 */
function askedOf(info: GraphQLResolveInfo): Asked {
  const { fieldNodes } = info;
  const [first] = fieldNodes;
  if (first === undefined) return askedNothing;
  const place = askedPlaces.get(first);
  if (place?.nodes.length === fieldNodes.length && place.nodes.every((node, index) => node === fieldNodes[index]))
    return place.asked;
  const asked = fieldNodes.reduce((bits, node) => bits | askedIn(node.selectionSet, typeNameOf(info), info), askedNothing);
  askedPlaces.set(first, { nodes: fieldNodes, asked });
  return asked;
}

function typeNameOf({ returnType, fieldName }: GraphQLResolveInfo): string {
  return fieldName === '_entities' ? '_Entity' : getNamedType(returnType).name;
}

function askedIn(set: SelectionSetNode | undefined, typeName: string, info: GraphQLResolveInfo): Asked {
  if (set === undefined) return askedNothing;
  return set.selections.reduce((bits, selection) => {
    switch (selection.kind) {
      case Kind.FIELD:
        return bits | askedBy(selection, typeName, info);
      case Kind.INLINE_FRAGMENT:
        return bits | askedIn(selection.selectionSet, selection.typeCondition?.name.value ?? typeName, info);
      case Kind.FRAGMENT_SPREAD: {
        const fragment = info.fragments[selection.name.value];
        return fragment === undefined ? bits : bits | askedIn(fragment.selectionSet, fragment.typeCondition.name.value, info);
      }
    }
  }, askedNothing);
}

function askedBy(node: FieldNode, typeName: string, info: GraphQLResolveInfo): Asked {
  const name = node.name.value;
  if (typeName === 'Citizen') {
    const checks = name === 'fieldStatuses' && asksForChecks(node.selectionSet, info) ? askedBit('checks') : askedNothing;
    return askedBit(name) | checks;
  }
  // Between a list and its citizens: `nodes`, `edges`, `node`.
  const type = info.schema.getType(typeName);
  const field = isObjectType(type) ? type.getFields()[name] : undefined;
  if (field === undefined || !isCompositeType(getNamedType(field.type))) return askedNothing;
  return askedIn(node.selectionSet, getNamedType(field.type).name, info);
}

function asksForChecks(set: SelectionSetNode | undefined, info: GraphQLResolveInfo): boolean {
  return (
    set?.selections.some((selection) => {
      switch (selection.kind) {
        case Kind.FIELD:
          return selection.name.value === 'source' || selection.name.value === 'checkedAt';
        case Kind.INLINE_FRAGMENT:
          return asksForChecks(selection.selectionSet, info);
        case Kind.FRAGMENT_SPREAD:
          return asksForChecks(info.fragments[selection.name.value]?.selectionSet, info);
      }
    }) ?? false
  );
}

/** `id` and the name of the type are known without a read; whoever sees the item sees that it is his. */
function asksOnlyId(info: GraphQLResolveInfo): boolean {
  return info.fieldNodes.every(
    ({ selectionSet }) =>
      selectionSet?.selections.every(
        (selection) => selection.kind === Kind.FIELD && (selection.name.value === 'id' || selection.name.value === '__typename'),
      ) ?? true,
  );
}
