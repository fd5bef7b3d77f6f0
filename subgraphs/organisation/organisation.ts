import type { AuditAction } from '#kernel/audit/actions.ts';
import type { Permission } from '#kernel/auth/permissions.ts';
import { scopeOf, type RowScope } from '#kernel/auth/policy.ts';
import type { ReadDoor } from '#kernel/db/read-door.ts';
import type { SettingInForce } from '#kernel/config-in-force.ts';
import { isUuid } from '#kernel/domain/ids.ts';
import { clientSubject } from '#kernel/identifier-hash.ts';
import { refusal } from '#kernel/errors/hub-error.ts';
import { fingerprintOf, type CursorBinding } from '#kernel/page.ts';
import { isGiven } from '#kernel/records/arguments.ts';
import type { Change, RecordState } from '#kernel/records/history.ts';
import { walkFor } from '#kernel/records/record-table.ts';
import type { RecordPage } from '#kernel/records/record-page.ts';
import type { PageArguments } from '#kernel/records/records.ts';
import type { Call } from '#kernel/subgraph.ts';
import { coversUnit, narrowed } from '#kernel/unit-scope.ts';
import { accountPage, clientPage, oneAccount, oneClient, type Account, type AccountFilter, type Client } from './accounts.ts';
import { AuditLog, type AuditEvent, type AuditFilter } from './audit-log.ts';
import { readExport, type ExportRecord } from './export-desk.ts';
import { readImport, refusedCountOf, refusedRowsOf, type ImportRecord } from './import-desk.ts';
import type { BoundPage, LatestPage } from './pages.ts';
import { oneRun, queuesNow, runPage, type Queue, type Run, type RunKind } from './runs.ts';
import { unitHistory, unitState } from './unit-history.ts';
import type { UnitDirectory, UnitRow, Units } from './units.ts';
import { workCounts, workItemPage, type WorkCount, type WorkItem, type WorkItemFilter } from './work-items.ts';

export interface OrganisationSource {
  readonly door: ReadDoor;
  /** Under the auditor's role; without it the audit is not read. */
  readonly auditor: ReadDoor | null;
  readonly units: UnitDirectory;
  readonly cursors: CursorBinding;
  readonly settings: () => readonly SettingInForce[];
}

const runPermission = { RECONCILE: 'run:read', IMPORT: 'import:read', EXPORT: 'export:start' } as const satisfies Record<
  RunKind,
  Permission
>;

/**
 * What one caller may know of the organisation. A unit that he does not see is a unit that does not exist; a kind of record that
 * his role never reads is `FORBIDDEN`.
 */
export class Organisation {
  readonly #source: OrganisationSource;
  readonly #call: Call;

  constructor(source: OrganisationSource, call: Call) {
    this.#source = source;
    this.#call = call;
  }

  get caller(): Call['caller'] {
    return this.#call.caller;
  }

  /** The unit of an id, where the caller sees it. No promise while the directory is fresh: units are asked for by the thousand. */
  unit(id: string): UnitRow | null | Promise<UnitRow | null> {
    const held = this.#source.units.held();
    if (held !== null) return this.#visible(held, held.findById(id));
    return this.#source.units.now().then((units) => this.#visible(units, units.findById(id)));
  }

  unitByNumber(number: number): UnitRow | null | Promise<UnitRow | null> {
    const held = this.#source.units.held();
    if (held !== null) return this.#visible(held, held.find(number));
    return this.#source.units.now().then((units) => this.#visible(units, units.find(number)));
  }

  /** Units below one, as far as the caller sees them; `null`: the topmost. Units that ended only where they are asked for. */
  async unitsBelow(parent: number | null, { ended }: { readonly ended: boolean }): Promise<readonly UnitRow[]> {
    this.#scope('unit:read');
    const units = await this.#source.units.now();
    return units.childrenOf(parent).filter(({ number, validTo }) => (ended || validTo === null) && this.#sees(units, number));
  }

  async orgUnits(parent: string | null, options: { readonly ended: boolean }): Promise<readonly UnitRow[]> {
    this.#scope('unit:read');
    if (parent === null) return await this.unitsBelow(null, options);
    const unit = await this.unit(parent);
    return unit === null ? [] : await this.unitsBelow(unit.number, options);
  }

  /** Of the caller's own units and those below, as the tree has them now: what was done to the units above is not his business. */
  async unitHistory(number: number, page: PageArguments): Promise<RecordPage<Change>> {
    return await unitHistory(this.#source.door, await this.#ownUnits(), number, this.#bound(page));
  }

  /** The unit as it stood at an instant, for whom its history is. */
  async unitAsOf(number: number, at: unknown): Promise<RecordState | null> {
    return await unitState(this.#source.door, await this.#ownUnits(), number, at);
  }

  async #ownUnits(): Promise<RowScope> {
    const scope = this.#scope('unit:read');
    const own = (await this.#source.units.now()).scopeOf(this.#call.caller.principal.unitNo);
    return { ...scope, units: own.units, unitCount: own.count };
  }

  async workItems(filter: WorkItemFilter, page: PageArguments): Promise<RecordPage<WorkItem>> {
    const scope = await this.#narrowed(this.#scope('work:read'), filter.orgUnit ?? null);
    const { tree } = await this.#source.units.now();
    const found = await workItemPage(this.#source.door, scope, walkFor(scope, tree), filter, this.#bound(page, 'work.read'));
    for (const item of found.nodes) this.#call.note('work.read', item.citizenId ?? item.id);
    // Whoever asks for one person is told about him by the sum too, also on a page that shows nothing of him.
    const unseen = page.countsOnly === true || isGiven(page.after);
    if (isGiven(filter.citizen) && isUuid(filter.citizen) && unseen) this.#call.note('work.read', filter.citizen);
    return found;
  }

  async workCounts(orgUnit: string | null): Promise<readonly WorkCount[]> {
    const counts = await workCounts(this.#source.door, await this.#narrowed(this.#scope('work:read'), orgUnit));
    const open = counts.reduce((sum, { week, month, older }) => sum + week + month + older, 0);
    this.#call.counted('work.read', fingerprintOf(this.#source.cursors('workCounts', orgUnit, 'KIND')), open);
    return counts;
  }

  /** Whom an item is about, as far as he is the caller's himself: an item of a unit above may be about someone who moved away. */
  citizenOf({ citizenId, citizenUnitNo }: WorkItem): { readonly id: string } | null {
    const scope = scopeOf(this.#call.caller, 'work:read');
    if (scope === null || citizenId === null || citizenUnitNo === null) return null;
    return coversUnit(scope.units, citizenUnitNo) ? { id: citizenId } : null;
  }

  /** A run of a kind that the caller never reads is one that does not exist for him. */
  async run(id: string): Promise<Run | null> {
    const any = (['import:read', 'export:start'] as const).find((right) => scopeOf(this.#call.caller, right) !== null);
    const run = await oneRun(this.#source.door, this.#scope(any ?? 'run:read'), id);
    const permission = run?.kind === 'IMPORT' || run?.kind === 'EXPORT' ? runPermission[run.kind] : 'run:read';
    return scopeOf(this.#call.caller, permission) === null ? null : run;
  }

  /** Numbers of the whole province: for whoever stands over all of it. */
  async queues(): Promise<readonly Queue[] | null> {
    const scope = this.#scope('run:read');
    const units = await this.#source.units.now();
    const top = units.childrenOf(null).find(({ validTo }) => validTo === null);
    return top !== undefined && coversUnit(scope.units, top.number) ? await queuesNow(this.#source.door, scope) : null;
  }

  /** Of the installation, no secret among them. */
  settings(): readonly SettingInForce[] {
    this.#scope('setting:read');
    return this.#source.settings();
  }

  /** A file that was sent; whose rows it names is not told. */
  import(id: string): Promise<ImportRecord | null> {
    return readImport(this.#source.door, this.#scope('import:read'), id, this.#call.caller.locale);
  }

  /** A list that was taken out; what it was filtered by is not told. */
  export(id: string): Promise<ExportRecord | null> {
    return readExport(this.#source.door, this.#scope('export:start'), id);
  }

  refusedRows(file: ImportRecord): ReturnType<typeof refusedRowsOf> {
    return refusedRowsOf(this.#source.door, this.#scope('import:read'), file, this.#call.caller.locale);
  }

  refusedCount(file: ImportRecord): Promise<number> {
    return refusedCountOf(this.#source.door, this.#scope('import:read'), file);
  }

  async runs(kind: RunKind, page: PageArguments): Promise<LatestPage<Run>> {
    const scope = this.#scope(runPermission[kind]);
    const { tree } = await this.#source.units.now();
    return await runPage(this.#source.door, scope, walkFor(scope, tree), kind, this.#bound(page));
  }

  /** Of the caller's units; whoever reads accounts is audited by each that he saw. */
  async accounts(filter: AccountFilter, page: PageArguments): Promise<LatestPage<Account>> {
    const scope = await this.#narrowed(this.#scope('account:read'), filter.orgUnit ?? null);
    const found = await accountPage(this.#source.door, scope, filter, this.#bound(page, 'account.read'));
    for (const { id } of found.nodes) this.#call.note('account.read', id);
    return found;
  }

  async account(id: string): Promise<Account | null> {
    const found = await oneAccount(this.#source.door, this.#scope('account:read'), id);
    if (found !== null) this.#call.note('account.read', found.id);
    return found;
  }

  async clients(page: PageArguments): Promise<LatestPage<Client>> {
    const found = await clientPage(this.#source.door, this.#scope('client:read'), this.#bound(page, 'client.read'));
    for (const { id } of found.nodes) this.#call.note('client.read', clientSubject(id));
    return found;
  }

  async client(id: string): Promise<Client | null> {
    const found = await oneClient(this.#source.door, this.#scope('client:read'), id);
    if (found !== null) this.#call.note('client.read', clientSubject(found.id));
    return found;
  }

  async auditEvents(filter: AuditFilter, page: PageArguments): Promise<LatestPage<AuditEvent>> {
    const scope = this.#scope('audit:read');
    const { auditor } = this.#source;
    if (auditor === null) throw refusal('DATABASE_AWAY', { cause: new Error('this process has no connection of the auditor') });
    if (isGiven(filter.person) && !isUuid(filter.person)) throw refusal('ID_FORMAT', { field: 'person' });
    const units = !isGiven(filter.unit) ? null : (await this.#narrowed(scope, filter.unit)).units;
    const principal = isGiven(filter.principal) ? await this.#principalNamed(scope, filter.principal) : null;
    const bound = this.#bound(page, 'audit.read');
    const found = await new AuditLog(auditor).page(scope, { filter, principal, units }, bound);
    // Who looks into the audit is audited: by the person he asked about, else by the events he saw.
    if (isGiven(filter.person)) this.#call.note('audit.read', filter.person);
    else for (const event of found.nodes) this.#call.note('audit.read', event.id);
    // That nothing was found is an answer too.
    if (found.nodes.length === 0 && bound.counted === undefined)
      this.#call.counted('audit.read', fingerprintOf(this.#source.cursors('auditEvents', filter, 'LATEST')), 0);
    return found;
  }

  /** The audit names accounts by id; people know their log-in. */
  async #principalNamed(scope: RowScope, name: string): Promise<string> {
    if (isUuid(name)) return name;
    const [known] = await this.#source.door.rows<{ readonly id: string }>(
      'principal.named',
      `select coalesce(
        (select c.id from organisation.client c where c.id = $2::text and coalesce(c.unit_no <@ $1::int4multirange, false)),
        (select a.id::text from organisation.account a where a.login = $2::text and coalesce(a.unit_no <@ $1::int4multirange, false)),
        $2::text) as id`,
      scope,
      [name],
    );
    return known?.id ?? name;
  }

  /** `action`: what is written down where only the sums of the list are asked. */
  #bound(page: PageArguments, action: AuditAction | null = null): BoundPage {
    const bound = { ...page, cursors: this.#source.cursors };
    if (page.countsOnly !== true || action === null) return bound;
    return {
      ...bound,
      counted: (binding, { total }) => {
        this.#call.counted(action, fingerprintOf(binding), total);
      },
    };
  }

  #scope(permission: Permission): RowScope {
    const scope = scopeOf(this.#call.caller, permission);
    if (scope === null) throw refusal('ROLE_LACKS_RIGHT');
    return scope;
  }

  /** A unit that the caller does not see narrows a list to nothing. */
  async #narrowed(scope: RowScope, id: string | null): Promise<RowScope> {
    if (id === null) return scope;
    const units = await this.#source.units.now();
    return narrowed(scope, units.tree, units.findById(id)?.number ?? 0);
  }

  #visible(units: Units, unit: UnitRow | null): UnitRow | null {
    return unit !== null && this.#sees(units, unit.number) ? unit : null;
  }

  /** At and below his own unit, above it, and wherever a legal basis lends him people. */
  #sees(units: Units, number: number): boolean {
    const { principal, basis } = this.#call.caller;
    if (scopeOf(this.#call.caller, 'unit:read') === null) return false;
    if (coversUnit(principal.scope, number) || units.standsOver(number, principal.unitNo)) return true;
    // One that was created a moment ago: the scope that came with the token does not know it yet.
    if (units.standsOver(principal.unitNo, number)) return true;
    return basis !== null && coversUnit(basis.scope, number);
  }
}
