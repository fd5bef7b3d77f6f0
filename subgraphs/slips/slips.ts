import { dayArgument, isGiven } from '#kernel/records/arguments.ts';
import type { Asked } from '#kernel/graph/asked.ts';
import { citizenIs, type Condition, daysBetween, textIs, wordIs } from '#kernel/records/conditions.ts';
import type { Change, RecordState } from '#kernel/records/history.ts';
import { KeyedLoader } from '#kernel/records/keyed-loader.ts';
import type { RecordPage } from '#kernel/records/record-page.ts';
import {
  Records,
  recordKind,
  type PageArguments,
  type RecordRow,
  type RecordSource,
  type Reference,
  type Soon,
  type Wanted,
} from '#kernel/records/records.ts';
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
const sharedFields = {
  version: 'c.version',
  number: 'c.number',
  origin: 'c.origin',
  status: 'c.status',
  issuedOn: 'c.issued_on as "issuedOn"',
  citizen: 'r.id as "citizenId"',
  orgUnit: 'case when c.unit_no <@ $1::int4multirange then c.unit_no end as "unitNo"',
  history: null,
  asOf: null,
} as const;
/** `note` is why a slip was withdrawn: `reason` stands on the referral slip itself. */
const sharedHistory = { number: null, origin: null, status: null, issuedOn: null, note: null } as const;
const sharedRights = {
  permission: 'slip:read',
  action: 'slip.read',
  masked: null,
  implied: {},
  order: 'c.id',
  most: 100,
} as const;

const referrals = recordKind<ReferralSlip>({
  ...sharedRights,
  name: 'slips.referral',
  record: { ...shared, table: 'slips.referral_slip' },
  type: 'ReferralSlip',
  fields: {
    ...sharedFields,
    validTo: 'c.valid_to as "validTo"',
    fromFacility: 'c.from_facility as "fromFacility"',
    toFacility: 'c.to_facility as "toFacility"',
    reason: 'c.reason',
  },
  history: { ...sharedHistory, validTo: null, fromFacility: null, toFacility: null, reason: null },
});

const reexaminations = recordKind<ReexaminationSlip>({
  ...sharedRights,
  name: 'slips.reexamination',
  record: { ...shared, table: 'slips.reexamination_slip' },
  type: 'ReexaminationSlip',
  fields: { ...sharedFields, appointmentOn: 'c.appointment_on as "appointmentOn"', facility: 'c.facility' },
  history: { ...sharedHistory, appointmentOn: null, facility: null },
});

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

  of(citizenId: string, page: PageArguments): Soon<RecordPage<Row> | null> {
    return this.#slips.pageOf(citizenId, page);
  }

  asking(asked: Asked): void {
    this.#slips.asking(asked);
  }

  /** Reads under way that tell whether the citizen is in scope; `null`: none that can. */
  wanted(citizenId: string, pages: readonly PageArguments[]): Wanted | null {
    return this.#slips.wanted(citizenId, pages);
  }

  citizen(citizenId: string): Soon<Reference | null> {
    return this.#slips.reference(citizenId, []);
  }

  async list(filter: SlipFilter, page: PageArguments): Promise<RecordPage<Row>> {
    return this.#slips.list(filter, await this.#conditions(filter), page, { withdrawn: isGiven(filter.status) });
  }

  citizenOf(slip: Row): Promise<Reference | null> {
    return this.#slips.citizenOf(slip);
  }

  history(slip: Row, page: PageArguments): Promise<RecordPage<Change>> {
    return this.#slips.history(slip, page);
  }

  asOf(slip: Row, at: unknown): Promise<RecordState | null> {
    return this.#slips.asOf(slip, at);
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
  #joint: { readonly one: Promise<void>; readonly other: Promise<void>; readonly both: Promise<unknown> } | null = null;

  constructor(source: RecordSource, call: Call) {
    const loader = new KeyedLoader(source.door);
    this.referrals = new SlipsOfKind(new Records<ReferralSlip>(source, call, loader, referrals), 'from_facility');
    this.reexaminations = new SlipsOfKind(new Records<ReexaminationSlip>(source, call, loader, reexaminations), 'facility');
  }

  asking(asked: Asked): this {
    this.referrals.asking(asked);
    this.reexaminations.asking(asked);
    return this;
  }

  /** A citizen in scope; `pages` are the pages of his slips that will be asked, whose reads tell it too. */
  citizen(citizenId: string, pages: SlipPages): Soon<Reference | null> {
    const referrals = this.referrals.wanted(citizenId, pages.referrals);
    const reexaminations = this.reexaminations.wanted(citizenId, pages.reexaminations);
    const one = referrals ?? reexaminations;
    if (one === null) return this.referrals.citizen(citizenId);
    const arrival = this.#both(referrals?.arrival ?? null, reexaminations?.arrival ?? null);
    // Both reads look at the same replica; whichever answers, answers for both.
    return arrival === null ? one.reference() : arrival.then(one.reference);
  }

  /** One promise for two reads, the same for all citizens of a page. */
  #both(one: Promise<void> | null, other: Promise<void> | null): Promise<unknown> | null {
    if (one === null || other === null) return one ?? other;
    if (this.#joint?.one !== one || this.#joint.other !== other) this.#joint = { one, other, both: Promise.all([one, other]) };
    return this.#joint.both;
  }
}

interface SlipPages {
  readonly referrals: readonly PageArguments[];
  readonly reexaminations: readonly PageArguments[];
}
