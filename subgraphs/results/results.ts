import { isUuid } from '#kernel/domain/ids.ts';
import { parseResultCode } from '#kernel/domain/result-code.ts';
import { refusal } from '#kernel/errors/hub-error.ts';
import type { Asked } from '#kernel/graph/asked.ts';
import { dayArgument, isGiven } from '#kernel/records/arguments.ts';
import { citizenIs, type Condition, daysBetween, textBegins, textIs, wordIs } from '#kernel/records/conditions.ts';
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
} from '#kernel/records/records.ts';
import type { Call } from '#kernel/subgraph.ts';

/** A result as the graph shows it; `code` is masked unless the caller sees codes in clear. */
export interface DigitizedResult extends RecordRow {
  readonly version: number;
  readonly code: string | null;
  readonly name: string;
  readonly kind: string | null;
  readonly issuingAgency: string | null;
  readonly issuedOn: string | null;
  readonly validTo: string | null;
  readonly excerpt: string | null;
  readonly state: string;
  readonly fileState: string;
  readonly useCount: number;
  readonly unitNo: number;
}

export interface ResultFilter {
  readonly text?: string | null;
  readonly code?: string | null;
  readonly kind?: string | null;
  readonly state?: string | null;
  readonly fileState?: string | null;
  readonly issuedFrom?: unknown;
  readonly issuedTo?: unknown;
  readonly citizen?: string | null;
  readonly orgUnit?: string | null;
}

const results = recordKind<DigitizedResult>({
  name: 'results.result',
  record: {
    table: 'results.result',
    replica: 'results.citizen',
    change: 'results.change',
    unitColumns: ['unit_no'],
    live: `c.state <> 'WITHDRAWN'`,
  },
  permission: 'result:read',
  action: 'result.read',
  masked: 'resultCode',
  type: 'DigitizedResult',
  fields: {
    version: 'c.version',
    code: { masked: 'resultCode', column: 'c.code' },
    name: 'c.name',
    kind: 'c.kind',
    issuingAgency: 'c.issuing_agency as "issuingAgency"',
    issuedOn: 'c.issued_on as "issuedOn"',
    validTo: 'c.valid_to as "validTo"',
    excerpt: 'c.excerpt',
    state: 'c.state',
    fileState: 'c.file_state as "fileState"',
    useCount: 'c.use_count as "useCount"',
    citizen: 'r.id as "citizenId"',
    orgUnit: 'c.unit_no as "unitNo"',
    history: null,
    asOf: null,
  },
  implied: { 'Query.digitizedResult': ['state', 'issuedOn'] },
  order: 'c.id',
  most: 100,
  history: {
    code: 'resultCode',
    name: null,
    kind: null,
    issuingAgency: null,
    issuedOn: null,
    validTo: null,
    excerpt: null,
    state: null,
    fileState: null,
    useCount: null,
    reason: null,
  },
});

/** Beginnings of a code shorter than this would find half the province. */
const shortestText = 3;

/** What one caller may do to digitized results, in one operation. */
export class Results {
  readonly #results: Records<DigitizedResult>;

  constructor(source: RecordSource, call: Call) {
    this.#results = new Records<DigitizedResult>(source, call, new KeyedLoader(source.door), results);
  }

  asking(asked: Asked): this {
    this.#results.asking(asked);
    return this;
  }

  /** A citizen in scope; `pages` are the pages of his results that will be asked, whose reads tell it too. */
  citizen(citizenId: string, pages: readonly PageArguments[]): Soon<Reference | null> {
    return this.#results.reference(citizenId, pages);
  }

  resultsOf(citizenId: string, page: PageArguments): Soon<RecordPage<DigitizedResult> | null> {
    return this.#results.pageOf(citizenId, page);
  }

  result(id: string): Promise<DigitizedResult | null> {
    return this.#results.find(id);
  }

  async resultByCode(text: string): Promise<DigitizedResult | null> {
    const all = await this.#results.carrying('code', wholeCode(text, 'code'));
    const linked = all.filter((result) => result.ownerId !== null);
    const chosen = oneOf(linked.length > 0 ? linked : all);
    return chosen === null ? null : this.#results.note(chosen);
  }

  async list(filter: ResultFilter, page: PageArguments): Promise<RecordPage<DigitizedResult>> {
    const { orgUnit, state } = filter;
    return this.#results.list(filter, this.#conditions(filter), page, { withdrawn: isGiven(state), orgUnit: orgUnit ?? null });
  }

  citizenOf(result: DigitizedResult): Promise<Reference | null> {
    return this.#results.citizenOf(result);
  }

  history(result: DigitizedResult, page: PageArguments): Promise<RecordPage<Change>> {
    return this.#results.history(result, page);
  }

  asOf(result: DigitizedResult, at: unknown): Promise<RecordState | null> {
    return this.#results.asOf(result, at);
  }

  /** `null`: no result can fit. */
  #conditions(filter: ResultFilter): readonly Condition[] | null {
    const { text, code, kind, state, fileState, citizen } = filter;
    const issuedFrom = dayArgument(filter.issuedFrom, 'issuedFrom');
    const issuedTo = dayArgument(filter.issuedTo, 'issuedTo');
    const conditions: Condition[] = [];
    if (isGiven(code)) conditions.push(textIs('code', wholeCode(code, 'code'), { kind: 'few' }));
    if (isGiven(text)) {
      const found = this.#byText(text.trim());
      if (found === null) return null;
      conditions.push(found);
    }
    if (isGiven(citizen)) {
      if (!isUuid(citizen)) return null;
      conditions.push(citizenIs(citizen));
    }
    if (issuedFrom !== null || issuedTo !== null) conditions.push(daysBetween('issued_on', issuedFrom, issuedTo));
    if (isGiven(state)) conditions.push(wordIs('state', state, { kind: 'ordered', column: 'state', whole: false }));
    if (isGiven(kind)) conditions.push(wordIs('kind', kind));
    if (isGiven(fileState)) conditions.push(wordIs('file_state', fileState));
    return conditions;
  }

  /** Who sees codes masked may not feel his way along the owner's number digit by digit: for him only a whole code finds. */
  #byText(start: string): Condition | null {
    const whole = parseResultCode(start);
    if (!this.#results.clear) return whole.ok ? textIs('code', whole.value, { kind: 'few' }) : null;
    const beginning = start.normalize('NFC');
    if (!/^[0-9\p{Script=Latin}./_-]+$/u.test(beginning) || beginning.length < shortestText) return null;
    return textBegins('code', beginning);
  }
}

function wholeCode(text: string, field: string): string {
  const parsed = parseResultCode(text.trim());
  if (parsed.ok) return parsed.value;
  throw refusal(parsed.reason, { field });
}

/** Of results with one code: the one in force, else the newest. */
function oneOf(all: readonly DigitizedResult[]): DigitizedResult | null {
  const holders = new Set(all.map((result) => result.ownerId ?? result.id));
  if (holders.size > 1) throw refusal('RESULT_TWO_HOLDERS', { field: 'code' });
  const rank = (result: DigitizedResult): string =>
    `${result.state === 'IN_FORCE' ? '1' : '0'} ${result.issuedOn ?? '0000-00-00'} ${result.id}`;
  return all.reduce<DigitizedResult | null>((best, result) => (best === null || rank(result) > rank(best) ? result : best), null);
}
