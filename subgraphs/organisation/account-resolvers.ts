import type { GraphQLResolveInfo } from 'graphql';
import { refusal } from '#kernel/errors/hub-error.ts';
import { countsOnly } from '#kernel/graph/asked.ts';
import { mutationPayload } from '#kernel/graph/mutation-payload.ts';
import { countResolvers } from '#kernel/records/record-page.ts';
import type { PageArguments } from '#kernel/records/records.ts';
import type { AccountChanges } from './account-changes.ts';
import type { AccountFilter } from './accounts.ts';
import type { OrganisationContext } from './resolvers.ts';

/** One mutation of accounts or clients. */
const changed =
  <Input>(
    verb: (
      changes: AccountChanges,
      caller: OrganisationContext['call']['caller'],
      input: Input,
    ) => ReturnType<AccountChanges['update']>,
  ) =>
  async (_: unknown, { input }: { readonly input: Input }, { accountChanges, call }: OrganisationContext): Promise<object> => {
    if (accountChanges === null) throw refusal('DATABASE_AWAY', { cause: new Error('this process was opened without changes') });
    return mutationPayload(await verb(accountChanges, call.caller, input), call);
  };

export const accountQueries = {
  accounts: (
    _: unknown,
    { filter, ...page }: { filter?: AccountFilter | null } & PageArguments,
    { organisation }: OrganisationContext,
    info: GraphQLResolveInfo,
  ) => organisation.accounts(filter ?? {}, { ...page, countsOnly: countsOnly(info) }),
  account: (_: unknown, { id }: { readonly id: string }, { organisation }: OrganisationContext) => organisation.account(id),
  clients: (_: unknown, page: PageArguments, { organisation }: OrganisationContext, info: GraphQLResolveInfo) =>
    organisation.clients({ ...page, countsOnly: countsOnly(info) }),
};

export const accountMutations = {
  createAccount: changed<Parameters<AccountChanges['create']>[1]>((changes, ...asked) => changes.create(...asked)),
  updateAccount: changed<Parameters<AccountChanges['update']>[1]>((changes, ...asked) => changes.update(...asked)),
  disableAccount: changed<Parameters<AccountChanges['disable']>[1]>((changes, ...asked) => changes.disable(...asked)),
  enableAccount: changed<Parameters<AccountChanges['enable']>[1]>((changes, ...asked) => changes.enable(...asked)),
  resetPassword: changed<Parameters<AccountChanges['resetPassword']>[1]>((changes, ...asked) => changes.resetPassword(...asked)),
  dropSecondFactor: changed<Parameters<AccountChanges['dropSecondFactor']>[1]>((changes, ...asked) =>
    changes.dropSecondFactor(...asked),
  ),
  revokeClient: changed<Parameters<AccountChanges['revokeClient']>[1]>((changes, ...asked) => changes.revokeClient(...asked)),
  rotateClientSecret: changed<Parameters<AccountChanges['rotateClientSecret']>[1]>((changes, ...asked) =>
    changes.rotateClientSecret(...asked),
  ),
};

const account = ({ account: id }: { readonly account: string }, _: unknown, { organisation }: OrganisationContext) =>
  organisation.account(id);
const client = ({ client: id }: { readonly client: string }, _: unknown, { organisation }: OrganisationContext) =>
  organisation.client(id);

export const accountTypes = {
  ChangedAccount: { account },
  AccountWithPassword: { account },
  ChangedClient: { client },
  ClientWithSecret: { client },
  AccountConnection: countResolvers,
  ClientConnection: countResolvers,
};
