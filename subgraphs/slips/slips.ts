import { dayArgument, isGiven } from '#kernel/records/arguments.ts';
import { citizenIs, type Condition, daysBetween, textIs, wordIs } from '#kernel/records/conditions.ts';
import type { Change } from '#kernel/records/history.ts';
import { KeyedLoader } from '#kernel/records/keyed-loader.ts';
import type { RecordPage } from '#kernel/records/record-page.ts';
import { Records, type RecordSource, type PageArguments, type RecordKind, type RecordRow } from '#kernel/records/records.ts';
import type { Call } from '#kernel/subgraph.ts';

interface Slip extends RecordRow {
  readonly version: number;
  readonly number: string | null;
  readonly origin: string;
  readonly status: string;
  readonly issuedOn: string | null;
}

export interface ReferralSlip extends Slip {
  readonly validTo: string | null;
  readonly fromFacility: string | null;
  readonly toFacility: string | null;
  readonly reason: string | null;
}

export interface ReexaminationSlip extends Slip {
  readonly appointmentOn: string | null;
  readonly facility: string | null;
}

export interface SlipFilter {
  readonly number?: string | null;
  readonly facility?: string | null;
  readonly status?: string | null;
  readonly issuedFrom?: unknown;
  readonly issuedTo?: unknown;
  readonly citizen?: string | null;
}

/**
 * Read by the citizen's unit or by the facility that issued the slip. A facility learns nothing of where the citizen belongs: his
 * unit is shown only where it lies in scope itself.
 */
const shared = {
  unitColumns: ['unit_no', 'facility_no'],
  replica: 'slips.citizen',
  change: 'slips.change',
  live: `c.status <> 'WITHDRAWN'`,
} as const;
const sharedColumns = `c.id, c.version, c.number, c.origin, c.status, c.issued_on as "issuedOn", r.id as "citizenId",
    case when c.unit_no <@ $1::int4multirange then c.unit_no end as "unitNo"`;
const sharedHistory = { number: null, origin: null, status: null, issuedOn: null } as const;

const referrals: RecordKind = {
  name: 'slips.referral',
  record: { ...shared, table: 'slips.referral_slip' },
  permission: 'slip:read',
  action: 'slip.read',
  masked: null,
  columns: () =>
    `${sharedColumns}, c.valid_to as "validTo", c.from_facility as "fromFacility", c.to_facility as "toFacility", c.reason`,
  ofCitizen: { order: 'c.id', most: null },
  history: { ...sharedHistory, validTo: null, fromFacility: null, toFacility: null, reason: null },
};

const reexaminations: RecordKind = {
  name: 'slips.reexamination',
  record: { ...shared, table: 'slips.reexamination_slip' },
  permission: 'slip:read',
  action: 'slip.read',
  masked: null,
  columns: () => `${sharedColumns}, c.appointment_on as "appointmentOn", c.facility`,
  ofCitizen: { order: 'c.id', most: null },
  history: { ...sharedHistory, appointmentOn: null, facility: null },
};

/** Slips of one kind, for one caller and one operation. */
class SlipsOfKind<Row extends Slip> {
  readonly #slips: Records<Row>;
  readonly #facilityColumn: string;

  constructor(slips: Records<Row>, facilityColumn: string) {
    this.#slips = slips;
    this.#facilityColumn = facilityColumn;
  }

  find(id: string): Promise<Row | null> {
    return this.#slips.find(id);
  }

  of(citizenId: string, page: PageArguments): Promise<RecordPage<Row> | null> {
    return this.#slips.pageOf(citizenId, page);
  }

  knows(citizenId: string, pages: readonly PageArguments[]): Promise<boolean> {
    return this.#slips.knowsByPages(citizenId, pages);
  }

  async list(filter: SlipFilter, page: PageArguments): Promise<RecordPage<Row>> {
    return this.#slips.list(filter, await this.#conditions(filter), page, { withdrawn: isGiven(filter.status) });
  }

  citizenOf(slip: Row): Promise<{ readonly id: string } | null> {
    return this.#slips.citizenOf(slip);
  }

  history(slip: Row, page: PageArguments): Promise<RecordPage<Change>> {
    return this.#slips.history(slip, page);
  }

  /** `null`: no slip can fit. */
  async #conditions(filter: SlipFilter): Promise<readonly Condition[] | null> {
    const { number, facility, status, citizen } = filter;
    const issuedFrom = dayArgument(filter.issuedFrom, 'issuedFrom');
    const issuedTo = dayArgument(filter.issuedTo, 'issuedTo');
    const conditions: Condition[] = [];
    if (isGiven(number)) {
      const printed = number.trim();
      if (printed === '' || printed.includes('\0')) return null;
      conditions.push(textIs('number', printed, { kind: 'few' }));
    }
    if (isGiven(citizen)) {
      // A facility must not learn by asking whose slip it is, when it may not see whose.
      if (!(await this.#slips.knows(citizen))) return null;
      conditions.push(citizenIs(citizen));
    }
    if (issuedFrom !== null || issuedTo !== null) conditions.push(daysBetween('issued_on', issuedFrom, issuedTo));
    if (isGiven(status)) conditions.push(wordIs('status', status, { kind: 'ordered', column: 'status', whole: false }));
    if (isGiven(facility)) {
      const code = facility.trim().toUpperCase();
      if (!/^[0-9A-Z]{5}$/.test(code)) return null;
      conditions.push(textIs(this.#facilityColumn, code, { kind: 'ordered', column: this.#facilityColumn, whole: true }));
    }
    return conditions;
  }
}

/** What one caller may do to slips, in one operation. */
export class Slips {
  readonly referrals: SlipsOfKind<ReferralSlip>;
  readonly reexaminations: SlipsOfKind<ReexaminationSlip>;

  constructor(source: RecordSource, call: Call) {
    const loader = new KeyedLoader(source.door);
    this.referrals = new SlipsOfKind(new Records<ReferralSlip>(source, call, loader, referrals), 'from_facility');
    this.reexaminations = new SlipsOfKind(new Records<ReexaminationSlip>(source, call, loader, reexaminations), 'facility');
  }

  /** Whether the citizen is in scope; `asked` are the pages of his slips that will be asked, whose reads tell it too. */
  async knows(
    citizenId: string,
    asked: { readonly referrals: readonly PageArguments[]; readonly reexaminations: readonly PageArguments[] },
  ): Promise<boolean> {
    if (asked.referrals.length === 0) return this.reexaminations.knows(citizenId, asked.reexaminations);
    if (asked.reexaminations.length === 0) return this.referrals.knows(citizenId, asked.referrals);
    const both = await Promise.all([
      this.referrals.knows(citizenId, asked.referrals),
      this.reexaminations.knows(citizenId, asked.reexaminations),
    ]);
    return both.every(Boolean);
  }
}
