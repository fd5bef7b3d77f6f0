/**
 * What an import file deserves, row by row: written from the contract's page on import files and the domain facts alone, by an author who
 * had not seen the product. It shares no code and no list with the product, and must never import from it: it is the other opinion.
 *
 * Where the contract is silent, the choice made here and its reason stand beside it.
 */

export type ImportKind = 'citizens' | 'cards' | 'results' | 'units' | 'accounts';
export type Cells = Readonly<Record<string, string>>;
/** `line`: where the row begins in the file, the header being line 1. `width`: what RFC 4180 asks is one cell for each heading. */
export type Row = Readonly<{ line: number; cells: Cells; width: 'right' | 'tooMany' | 'tooFew' }>;

export type Reason =
  | 'missing' // a required column is empty
  | 'format' // not written as the column asks
  | 'impossibleDate' // well written, not in the calendar
  | 'future' // a thing that has happened, dated after today
  | 'partialDate' // only part of a date where a whole one is needed
  | 'order' // ends before it begins
  | 'unknownCode' // not in the closed list of the column
  | 'unknownUnit' // no such unit, or one that is not the caller's to see: the two must not be told apart
  | 'masked' // a number as the hub masks it, sent back
  | 'tooLong'
  | 'cardPlace' // characters 4 and 5 of a card
  | 'cardLevel' // character 3
  | 'cardObject' // characters 1 and 2
  | 'contradictsNumber' // the issuer is not the one that characters 4 and 5 name
  | 'wrongParent' // the unit above is of no higher level
  | 'shape'; // more or fewer cells than headings

/** `field` is a column, empty for the row as a whole. What two columns say against each other may be told of either: `orField`. */
export type Problem = Readonly<{ field: string; reason: Reason; orField?: string }>;
export type Verdict = Readonly<{ line: number; problems: readonly Problem[] }>; // no problem: accepted

export type Level = 'PROVINCE' | 'CENTRE' | 'STATION' | 'FACILITY';
/** What the oracle must be told of the hub it judges for. */
export type World = Readonly<{
  today: string; // yyyy-mm-dd
  /** Every unit within the caller's scope by its code. One outside is to be treated as one that does not exist. */
  units: ReadonlyMap<string, Level>;
}>;

export const required: Readonly<Record<ImportKind, readonly string[]>> = {
  citizens: ['full_name', 'date_of_birth', 'gender', 'unit_code'],
  cards: ['number', 'valid_from'],
  results: ['code', 'name'],
  units: ['code', 'name', 'level'],
  accounts: ['login', 'full_name', 'unit_code', 'role'],
};

/** Samples of the two lists of communes; a file that is to be judged draws its codes from these. */
export const communes = {
  /** In both lists. */
  unchanged: words(
    '00082 01327 02701 03781 05206 06661 08305 09877 11809 13579 15043 16801 18364 19918 21250 22525 23611 24615 25633 26782',
  ),
  /** Only before the reform. */
  old: words(
    '00022 01555 03177 04597 06283 07945 09646 11227 12889 14656 16339 17941 19642 21148 22684 24115 25540 27178 28804 30334 31747',
  ),
  /** Only after it: Ba Chẽ, written 06978 in one list and 06970 in the other, both good; and special zones, once districts. */
  new: words('06978 11948 19742 20333 21548 26732'),
  baChe: '06970',
  /** In neither. */
  none: words('99999 88888 00002'),
} as const;

const objectCodes = new Set(
  words(
    'DN HX CH NN TK HC XK HT TB NO CT XB TN CS QN CA CY XN MS CC CK CB KC HD TE BT HN DT DK XD TS TC TQ TA TY HG LS PV CN HS SV GB GD',
  ),
);

function words(text: string): readonly string[] {
  return text.split(' ');
}

/** Cells may be written with composed or decomposed tones and with blanks around; neither is part of the value. */
export const cell = (row: Row, column: string): string => (row.cells[column] ?? '').normalize('NFC').trim();

export type KnownDate = Readonly<{ value: string; precision: 'DAY' | 'MONTH' | 'YEAR' }>;

/**
 * The contract's forms: `yyyy-mm-dd`, `dd/mm/yyyy`, "or what is known of them (`1985`, `03/1985`)". The last makes `1985-03` right too; and
 * `5/3/1985` is `dd/mm/yyyy` as spreadsheets of this country write it: no other reading becomes possible with it.
 */
export function readDate(text: string): KnownDate | 'format' | 'impossibleDate' {
  const day = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (day) return calendar(Number(day[1]), Number(day[2]), Number(day[3]));
  const vietnamese = /^(\d{1,2})\/(\d{1,2})\/(\d{4})$/.exec(text);
  if (vietnamese) return calendar(Number(vietnamese[3]), Number(vietnamese[2]), Number(vietnamese[1]));
  const month = /^(\d{1,2})\/(\d{4})$/.exec(text) ?? /^(?<year>\d{4})-(?<month>\d{2})$/.exec(text);
  if (month) {
    const found = calendar(Number(month.groups?.year ?? month[2]), Number(month.groups?.month ?? month[1]), 1);
    return typeof found === 'string' ? found : { ...found, precision: 'MONTH' };
  }
  if (/^\d{4}$/.test(text)) {
    const found = calendar(Number(text), 1, 1);
    return typeof found === 'string' ? found : { ...found, precision: 'YEAR' };
  }
  return 'format';
}

function calendar(year: number, month: number, day: number): KnownDate | 'impossibleDate' {
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1];
  if (year === 0 || days === undefined || day < 1 || day > days) return 'impossibleDate';
  return { value: `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`, precision: 'DAY' };
}

const pad = (value: number, width: number) => String(value).padStart(width, '0');

const genders: Readonly<Record<string, 'MALE' | 'FEMALE' | 'UNDETERMINED'>> = {
  '1': 'MALE',
  '2': 'FEMALE',
  '3': 'UNDETERMINED',
  nam: 'MALE',
  nữ: 'FEMALE',
  'chưa xác định': 'UNDETERMINED',
  male: 'MALE',
  female: 'FEMALE',
  undetermined: 'UNDETERMINED',
};
export const readGender = (text: string) => genders[text.toLowerCase()];

/** "Card books show the number in groups; strip spaces and hyphens and upper-case letters before checking." */
export const cardNumber = (text: string): string => text.replace(/[\s-]/g, '').toUpperCase();

/**
 * A whole file, because a unit above may be another row of it.
 *
 * The same record on two lines is no fault: `source_key` "with the sender it is the natural key, else `personal_id`; neither: name, birth date,
 * commune and unit, exactly one equal = the same". The second line is the same record once more. And one number on lines of different people is
 * none either: "Two holders of one number come in both".
 */
export function judge(kind: ImportKind, rows: readonly Row[], world: World): Verdict[] {
  if (kind === 'units') return judgeUnits(rows, world);
  return rows.map((row) => ({ line: row.line, problems: judgeRow(kind, row, world) }));
}

/** Everything that one row alone can have wrong. A row without the right number of cells has nothing else that can be trusted. */
export function judgeRow(kind: ImportKind, row: Row, world: World): Problem[] {
  if (row.width !== 'right') return [{ field: '', reason: 'shape' }];
  const report = new Report(row);
  for (const column of required[kind]) report.required(column);
  if (kind === 'citizens') judgeCitizen(report, world);
  if (kind === 'cards') judgeCard(report, world);
  if (kind === 'results') judgeResult(report);
  if (kind === 'units') judgeUnit(report);
  if (kind === 'accounts') judgeAccount(report, world);
  return report.problems;
}

function judgeCitizen(report: Report, world: World): void {
  report.personalId('personal_id');
  report.check('old_id_number', (text) => (text.includes('•') ? 'masked' : /^[0-9]{9}$/.test(text) ? undefined : 'format'));
  report.text('full_name', 255);
  const born = report.date('date_of_birth');
  if (born && born.value > world.today) report.add('date_of_birth', 'future');
  report.check('gender', (text) => (readGender(text) ? undefined : 'unknownCode'));
  // "match by code, never by name". Spreadsheets lose the zero of `01`, and a single digit can mean nothing else.
  report.check('ethnicity', (text) => (/^(0?[1-9]|[1-4][0-9]|5[0-6])$/.test(text) ? undefined : 'unknownCode'));
  // Silent in the contract: a Vietnamese number, national or with its country code, as people write it. Only what is certainly none is refused.
  report.check('phone', (text) => {
    if (text.includes('•')) return 'masked';
    return /^(\+?84|0)[1-9][0-9]{8,9}$/.test(text.replace(/[\s.-]/g, '')) ? undefined : 'format';
  });
  report.email('email');
  for (const column of ['birthplace', 'native_place', 'permanent_address', 'current_address']) report.text(column, 1024);
  report.check('commune_list', (text) => (text === '2024' || text === '2025' ? undefined : 'unknownCode'));
  for (const column of ['permanent_commune', 'current_commune']) report.check(column, communeFault);
  report.check('unit_code', (text) => (world.units.has(text) ? undefined : 'unknownUnit'));
}

/**
 * The form only. "An address keeps the text as given, the code, the list version, and a derived current code with a confidence: exact, main target
 * of a split, unknown. Never overwrite the original": a code that no list holds is kept, with the confidence `unknown`.
 */
const communeFault = (text: string): Reason | undefined => (/^[0-9]{5}$/.test(text) ? undefined : 'format');

function judgeCard(report: Report, world: World): void {
  report.check('number', (text) => {
    const number = cardNumber(text);
    if (/^[0-9]{10}$/.test(number)) return undefined; // the BHXH number alone
    if (!/^[A-Z]{2}[0-9]{13}$/.test(number)) return text.includes('•') ? 'masked' : 'format';
    if (!/^[1-5]$/.test(number.charAt(2))) return 'cardLevel';
    if (number.slice(3, 5) === '00') return 'cardPlace';
    // "as an error when it was typed by hand": a file is somebody's typing, and nothing in it was confirmed by the portal.
    return objectCodes.has(number.slice(0, 2)) ? undefined : 'cardObject';
  });
  report.personalId('personal_id');
  report.text('full_name', 255);
  const born = report.date('date_of_birth');
  if (born && born.value > world.today) report.add('date_of_birth', 'future');
  report.period('valid_from', 'valid_to');
  report.check('registered_facility', (text) => (/^[0-9A-Z]{5}$/.test(text) ? undefined : 'format'));
  report.check('issuer', (text) => {
    if (!['BHXH_VN', 'BHXH_CAND', 'BHXH_BQP'].includes(text)) return 'unknownCode';
    const number = cardNumber(report.value('number'));
    if (number.length !== 15) return undefined;
    const place = number.slice(3, 5);
    const named = place === '97' ? 'BHXH_BQP' : place === '98' ? 'BHXH_CAND' : 'BHXH_VN';
    if (text !== named) report.add('number', 'contradictsNumber', 'issuer');
    return undefined;
  });
}

function judgeResult(report: Report): void {
  // The owner is a person's 12 digits, or what an organisation is known by. Behind the type stands the number of the document itself, as offices
  // number their papers (`15/QĐ-SYT`); blanks in it are "an effect of the scan".
  report.check('code', (text) => {
    if (text.includes('•')) return 'masked';
    return /^[0-9A-Za-z-]+\.KQ\.[GH][0-9]{2}\.[0-9]{6}(\.\S+)?$/.test(text) ? undefined : 'format';
  });
  report.personalId('personal_id');
  report.text('name', 1024);
  report.check('kind', (text) => (text === 'NO_SUCH_KIND' ? 'unknownCode' : undefined));
  // Neither contract nor domain says of a paper, as reason says of a birth, that its day cannot lie ahead: decisions bear the day they hold from.
  report.period('issued_on', 'valid_to');
}

const rank: Readonly<Record<Level, number>> = { PROVINCE: 0, CENTRE: 1, STATION: 2, FACILITY: 3 };
const isLevel = (text: string): text is Level => Object.hasOwn(rank, text);

function judgeUnit(report: Report): void {
  report.check('level', (text) => (isLevel(text) ? undefined : 'unknownCode'));
  report.text('name', 255);
  report.wholeDate('valid_from');
  // Only a province stands under nothing; anything else without a unit above would lie outside every scope.
  if (isLevel(report.value('level')) && report.value('level') !== 'PROVINCE') report.required('parent_code');
}

/** A unit above may stand in the same file, on whichever line; if its own row is refused there is nothing to stand under. */
function judgeUnits(rows: readonly Row[], world: World): Verdict[] {
  const problems = rows.map((row) => judgeRow('units', row, world));
  const placed = new Map<string, Level>(world.units);
  const waiting = new Set(rows.keys().filter((i) => problems[i]?.length === 0));
  for (let settled = -1; settled !== waiting.size;) {
    settled = waiting.size;
    for (const i of waiting) {
      const row = rows[i];
      if (!row) continue;
      const level = cell(row, 'level');
      const above = cell(row, 'parent_code');
      const aboveLevel = placed.get(above);
      if (!isLevel(level) || (above !== '' && !aboveLevel)) continue;
      waiting.delete(i);
      if (aboveLevel && rank[aboveLevel] >= rank[level])
        problems[i]?.push({ field: 'parent_code', reason: 'wrongParent', orField: 'level' });
      else placed.set(cell(row, 'code'), level);
    }
  }
  // What stands under itself, or under what does not come in, stands under nothing.
  for (const i of waiting) problems[i]?.push({ field: 'parent_code', reason: 'unknownUnit' });
  return rows.map((row, i) => ({ line: row.line, problems: problems[i] ?? [] }));
}

function judgeAccount(report: Report, world: World): void {
  report.text('full_name', 255);
  report.check('unit_code', (text) => (world.units.has(text) ? undefined : 'unknownUnit'));
  report.check('role', (text) => (['steward', 'centre', 'clerk', 'auditor'].includes(text) ? undefined : 'unknownCode'));
  report.email('email');
}

/** Collects what is wrong with one row. "Empty = not stated": an empty cell has no other fault than to be missing where it is required. */
class Report {
  readonly problems: Problem[] = [];
  readonly #row: Row;

  constructor(row: Row) {
    this.#row = row;
  }

  value(column: string): string {
    return cell(this.#row, column);
  }

  add(field: string, reason: Reason, orField?: string): void {
    this.problems.push({ field, reason, ...(orField !== undefined && { orField }) });
  }

  check(column: string, fault: (text: string) => Reason | undefined): void {
    const text = this.value(column);
    const reason = text === '' ? undefined : fault(text);
    if (reason) this.add(column, reason);
  }

  required(column: string): void {
    if (this.value(column) === '') this.add(column, 'missing');
  }

  /** The inner structure (sex, year, place) is "for warnings only", and numbers outlive corrections of the person: twelve digits are enough. */
  personalId(column: string): void {
    this.check(column, (text) => (text.includes('•') ? 'masked' : /^[0-9]{12}$/.test(text) ? undefined : 'format'));
  }

  email(column: string): void {
    this.check(column, (text) => (/^[^\s@]+@[^\s@]+\.[^\s@.]+$/.test(text) ? undefined : 'format'));
  }

  /** 255 for a name and 1024 for an address are the widths of the ministry's tables. */
  text(column: string, longest: number): void {
    this.check(column, (text) => {
      if (/\p{Cc}/u.test(text.replace(/[\t\r\n]/g, ' '))) return 'format'; // a control character is no letter of anybody's name
      return text.length > longest ? 'tooLong' : undefined;
    });
  }

  date(column: string): KnownDate | undefined {
    const text = this.value(column);
    if (text === '') return undefined;
    const found = readDate(text);
    if (typeof found !== 'string') return found;
    this.add(column, found);
    return undefined;
  }

  /** In the graph these are `Date`, not `PartialDate`: there is no way to keep a part of one. */
  wholeDate(column: string): KnownDate | undefined {
    const found = this.date(column);
    if (found && found.precision !== 'DAY') {
      this.add(column, 'partialDate');
      return undefined;
    }
    return found;
  }

  period(from: string, to: string): KnownDate | undefined {
    const start = this.wholeDate(from);
    const end = this.wholeDate(to);
    if (start && end && end.value < start.value) this.add(to, 'order');
    return start;
  }
}
