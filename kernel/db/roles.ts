/**
 * Database roles of a hub. None owns a table, none bypasses row policies; what each may is `subgraphs/grants.ts`.
 * `reader`: compiled reads of all subgraphs, in one process only. `auditor`: reads the audit. `worker`: relay of the outbox.
 * `sealer`: seals the audit.
 */
export const hubRoles = [
  'citizens',
  'insurance',
  'results',
  'slips',
  'organisation',
  'reader',
  'auditor',
  'worker',
  'sealer',
] as const;
export type HubRole = (typeof hubRoles)[number];

/** Connection of each role as `postgresql://` URL; the content of `roles.json` in the data directory. */
export type RoleUrls = Readonly<Record<HubRole, string>>;

export function parseRoleUrls(text: string): RoleUrls {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null) throw new Error('The file of database roles is not a JSON object.');
  const urls = new Map<string, unknown>(Object.entries(value));
  const url = (role: HubRole): string => {
    const found = urls.get(role);
    if (typeof found !== 'string' || !URL.canParse(found))
      throw new Error(`The file of database roles has no address for "${role}".`);
    return found;
  };
  return {
    citizens: url('citizens'),
    insurance: url('insurance'),
    results: url('results'),
    slips: url('slips'),
    organisation: url('organisation'),
    reader: url('reader'),
    auditor: url('auditor'),
    worker: url('worker'),
    sealer: url('sealer'),
  };
}

/** The same server and database as `owner`, as another login. */
export function urlFor(owner: string, login: string, password: string): string {
  const url = new URL(owner);
  url.username = login;
  url.password = password;
  return url.href;
}
