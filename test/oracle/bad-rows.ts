/**
 * Import files of invented rows: most are right, many of those only look wrong, and a drawn share is wrong in every way that the contract and the
 * domain facts name, each way at least once in a file. Same seed, same bytes. What is right and what is not is the oracle's to say (oracle.ts);
 * the name of a fault here tells only what the writer of the row had in mind.
 */
import { communes, type ImportKind, type Level, type Row } from './oracle.ts';

export type FileWish = Readonly<{
  kind: ImportKind;
  rows: number;
  /** Part of the rows that is wrong, 0–1; each fault stands at least once however small it is. */
  share: number;
  seed: number;
  today: string;
  /** Units of the caller's scope that the rows may name, and one that exists but lies outside of it. */
  units: ReadonlyMap<string, Level>;
  foreignUnit: string;
  /** Numbers of citizens that are there already: holders of cards and results. Without any, everything waits for its citizen. */
  holders?: readonly string[];
  delimiter?: ',' | ';';
  bom?: boolean;
  lineEnd?: '\n' | '\r\n';
}>;

export type MadeFile = Readonly<{
  csv: string;
  /** What stands in the file, with the line on which each begins. */
  rows: readonly Row[];
  /** Line → name of the fault that was written into it; lines that are not here were meant to be right. */
  faults: ReadonlyMap<number, string>;
  /** Lines that say once more what a right line above has said. */
  repeats: ReadonlySet<number>;
}>;

type Draft = Record<string, string>;
/** Changes a right row into a wrong one. `before` are the right rows above it. */
type Fault = (row: Draft, draw: Draw, wish: FileWish, before: readonly Draft[]) => void;

const columns: Readonly<Record<ImportKind, readonly string[]>> = {
  citizens: (
    'personal_id old_id_number full_name date_of_birth gender ethnicity phone email birthplace native_place ' +
    'permanent_address permanent_commune current_address current_commune commune_list unit_code source_key'
  ).split(' '),
  cards: 'number personal_id full_name date_of_birth valid_from valid_to registered_facility issuer'.split(' '),
  results: 'code personal_id name kind issuing_agency issued_on valid_to excerpt file'.split(' '),
  units: 'code name level parent_code valid_from'.split(' '),
  accounts: 'login full_name unit_code role email'.split(' '),
};

/** Sets one column to something drawn from a list. */
const put =
  (column: string, ...values: readonly string[]): Fault =>
  (row, draw) => {
    row[column] = draw.of(values);
  };

const notDates = ['15.03.1990', '19900315', 'không nhớ', '90', '1990-03-15 00:00', '03-15-1990'];
const noDays = ['1991-02-29', '31/04/1990', '13/1985', '30/02/2000', '1990-13-01', '00/03/1985', '1900-02-29'];
const notNumbers = ['38090000001', '0380900000012', '03809000000A', '3.8E+10', '٠٣٨٠٩٠٠٠٠٠٠١', 'C1234567'];
const notAddresses = ['khong-co', 'lan@', 'lan a@thu.vn', '@thu.vn', 'lan@@thu.vn'];

const faults: Readonly<Record<ImportKind, Readonly<Record<string, Fault>>>> = {
  citizens: {
    'no name': put('full_name', '', '   ', '\u00A0'),
    'no birth date': put('date_of_birth', '', ' '),
    'no gender': put('gender', ''),
    'no unit': put('unit_code', ''),
    'a number of another length or with other signs': put('personal_id', ...notNumbers),
    'a masked number': put('personal_id', '038•••••0001'),
    'a masked telephone': put('phone', '091•••••21'),
    'an old number that is none': put('old_id_number', '12345678', '1234567890', 'B12345678', '12345678X'),
    'a date not written as one': put('date_of_birth', ...notDates),
    'a day that no calendar has': put('date_of_birth', ...noDays),
    'born tomorrow or later': (row, draw, wish) => {
      const year = Number(wish.today.slice(0, 4)) + draw.below(30) + 1;
      row.date_of_birth = draw.of([`${year}-01-15`, `15/01/${year}`, String(year), `06/${year}`]);
    },
    'a gender outside the list': put('gender', '0', '4', 'x?', '12'),
    'an ethnicity outside the list': put('ethnicity', '57', '99', '00', '101'),
    'no telephone number': put('phone', '12345', 'không có', '09123456789012', '0912-ABC-678'),
    'no e-mail address': put('email', ...notAddresses),
    'a commune code of another length': put('permanent_commune', '0082', '000820', '82', 'Ba Đình'),
    'a current commune that is not a code': put('current_commune', 'X0082', '1327'),
    'a list of communes of no reform': put('commune_list', '2023', 'mới', '25'),
    'a unit that does not exist': put('unit_code', 'KHONG-CO', '00000', 'x99'),
    'a unit of somebody else': (row, _draw, wish) => {
      row.unit_code = wish.foreignUnit;
    },
    'a name longer than the form': (row) => {
      row.full_name = `Nguyễn ${'Thị '.repeat(64)}Hoa`;
    },
    'an address longer than the form': (row) => {
      row.permanent_address = 'Thôn Đông, '.repeat(100);
    },
    'a control character in the name': put('full_name', 'Trần\u0007Bình', 'Lê \u001BChi'),
    'two faults at once': (row) => {
      row.gender = '7';
      row.date_of_birth = '31/02/1980';
    },
  },
  cards: {
    'no number': put('number', '', ' '),
    'no first day': put('valid_from', ''),
    'a number of another length or with other signs': put(
      'number',
      'DN438123456789',
      'DN4380123456789012',
      '123456789',
      'D14380123456789',
      'thẻ',
    ),
    'a masked number': put('number', 'DN4•••••••••001'),
    'a place 00': (row, draw) => {
      row.number = `DN400${draw.digits(10)}`;
      row.issuer = '';
    },
    'a level outside 1 to 5': (row, draw) => {
      row.number = `DN${draw.of(['0', '6', '9'])}38${draw.digits(10)}`;
      row.issuer = '';
    },
    'an object code outside the list': (row, draw) => {
      row.number = `${draw.of(['ZZ', 'QQ', 'AA'])}438${draw.digits(10)}`;
      row.issuer = '';
    },
    'a holder whose number is none': put('personal_id', ...notNumbers),
    'a masked holder': put('personal_id', '038•••••0001'),
    'a birth date not written as one': put('date_of_birth', ...notDates),
    'a birth date that no calendar has': put('date_of_birth', ...noDays),
    'a first day not written as one': put('valid_from', ...notDates),
    'a first day that no calendar has': put('valid_from', ...noDays),
    'only a year where a day is needed': put('valid_from', '2025', '03/2025'),
    'a last day that no calendar has': put('valid_to', '2027-02-29', '31/06/2026'),
    'a last day before the first': (row) => {
      row.valid_from = '2026-01-01';
      row.valid_to = '31/12/2025';
    },
    'a facility code of another length': put('registered_facility', '3801', '380101', 'Bệnh viện'),
    'an issuer outside the list': put('issuer', 'BHXH', 'BHXH_XX', '1'),
    'an issuer against characters 4 and 5': (row, draw) => {
      const [place, issuer] = draw.of([
        ['97', 'BHXH_VN'],
        ['98', 'BHXH_BQP'],
        ['38', 'BHXH_CAND'],
      ] as const);
      row.number = `DN4${place}${draw.digits(10)}`;
      row.issuer = issuer;
    },
  },
  results: {
    'no code': put('code', '', ' '),
    'no name': put('name', ''),
    'a code of another shape': put(
      'code',
      'G18.000010',
      '038090000001.KQ.X18.000010',
      '038090000001.KQ.G18.10',
      '038090000001.KX.G18.000010',
      '038090000001.KQ.G1.000010',
    ),
    'a masked code': put('code', '038•••••0001.KQ.G18.000010'),
    'a holder whose number is none': put('personal_id', ...notNumbers),
    'a kind outside the list': put('kind', 'NO_SUCH_KIND'),
    'a day not written as one': put('issued_on', ...notDates),
    'a day that no calendar has': put('issued_on', ...noDays),
    'only a year where a day is needed': put('issued_on', '2024', '05/2024'),
    'a last day that no calendar has': put('valid_to', '2029-02-29', '31/09/2028'),
    'a last day before the first': (row) => {
      row.issued_on = '2024-05-01';
      row.valid_to = '30/04/2024';
    },
  },
  units: {
    'no code': put('code', ''),
    'no name': put('name', '', ' '),
    'no level': put('level', ''),
    'a level outside the list': put('level', 'DISTRICT', '2', 'Huyện'),
    'a unit above that does not exist': put('parent_code', 'KHONG-CO'),
    'a unit above that is somebody else’s': (row, _draw, wish) => {
      row.parent_code = wish.foreignUnit;
    },
    'no unit above': put('parent_code', ''),
    'its own unit above': (row) => {
      row.parent_code = row.code ?? '';
    },
    'a centre under a station': (row, draw, wish, before) => {
      const stations = [
        ...before.filter((other) => other.level === 'STATION').map((other) => other.code ?? ''),
        ...ofLevel(wish, 'STATION'),
      ];
      Object.assign(row, { level: 'CENTRE', parent_code: draw.of(stations) });
    },
    'a day that no calendar has': put('valid_from', ...noDays),
    'a day not written as one': put('valid_from', ...notDates),
    'only a year where a day is needed': put('valid_from', '2025'),
  },
  accounts: {
    'no login': put('login', ''),
    'no name': put('full_name', ''),
    'no unit': put('unit_code', ''),
    'no role': put('role', ''),
    'a role outside the list': put('role', 'admin', 'root', 'giám đốc'),
    'a unit that does not exist': put('unit_code', 'KHONG-CO'),
    'a unit of somebody else': (row, _draw, wish) => {
      row.unit_code = wish.foreignUnit;
    },
    'no e-mail address': put('email', ...notAddresses),
  },
};

/** Of the row as a whole, in a file of any kind. */
const shapes = { 'a cell too many': 'tooMany', 'a cell too few': 'tooFew' } as const;

export const faultNames = (kind: ImportKind): readonly string[] => [...Object.keys(faults[kind]), ...Object.keys(shapes)];

const surnames = 'Nguyễn Trần Lê Phạm Hoàng Huỳnh Phan Vũ Võ Đặng Bùi Đỗ Hồ Ngô Dương Lý Rơ Siu Đinh Lường'.split(' ');
const middles = 'Văn Thị Hữu Ngọc Minh Thanh Xuân Đức Quốc Thuỳ Bảo Hoài Mỹ Anh Kim Gia Tường Khánh Diệu Nhật'.split(' ');
const givens =
  'An Bình Chi Dũng Đạt Giang Hà Hằng Hiếu Hoà Hùng Hương Khôi Lan Linh Long Mai Nam Nga Ngân Phúc Quỳnh Sơn Tâm Thảo Tú Uyên Vân Yến Ý'.split(
    ' ',
  );
const rareNames = [
  'H’Hen Niê',
  "H'Bia Ê-ban",
  'Y-Bhăm Kbuôr',
  'Sương',
  'Giàng A Pháo',
  'Thạch Sa Rây',
  'Lý Mỹ Lệ Thu Hà Ngọc Ánh',
];
const places = '001 002 010 017 024 030 034 036 038 044 046 049 052 058 064 068 072 079 087 091 096 203'.split(' ');

const ofLevel = (wish: FileWish, level: Level) => [...wish.units].filter(([, is]) => is === level).map(([code]) => code);

function citizen(i: number, draw: Draw, wish: FileWish): Draft {
  const year = 1930 + draw.below(90);
  const month = two(1 + draw.below(12));
  const day = two(1 + draw.below(28));
  const man = draw.chance(0.5);
  // Structure of the number that does not fit the person is a warning and no more: now and then it does not.
  const century = draw.chance(0.03) ? draw.below(10) : (year < 2000 ? 0 : 2) + (man ? 0 : 1);
  const list = draw.of(['2024', '2025']);
  const inList = [...communes.unchanged, ...communes.new, ...communes.old, ...communes.none, communes.baChe];
  const nameless = draw.chance(0.04); // no number and no key: the newborn, the foreigner
  const name = draw.chance(0.05)
    ? `${draw.of(surnames)} ${draw.of(rareNames)}`
    : `${draw.of(surnames)} ${draw.of(middles)} ${draw.of(middles)} ${draw.of(givens)}`;
  const row: Draft = {
    personal_id: nameless ? '' : `${draw.of(places)}${century}${two(year % 100)}${six(i)}`,
    old_id_number: draw.chance(0.3) ? `2${two(wish.seed % 100)}${six(i)}` : '',
    full_name: nameless ? `${name} ${draw.of(middles)} ${words(i)}` : name,
    date_of_birth: draw.of([
      `${year}-${month}-${day}`,
      `${day}/${month}/${year}`,
      `${month}/${year}`,
      String(year),
      '29/02/1996',
      '2000-02-29',
      '5/3/1985',
      '1985-03',
    ]),
    gender: man ? draw.of(['1', 'Nam', 'nam', 'MALE', 'male']) : draw.of(['2', 'Nữ', 'nữ', 'NỮ', 'FEMALE']),
    ethnicity: draw.of(['', '01', '1', '02', '25', '54', '55', '56']),
    phone: draw.chance(0.5)
      ? draw.of([
          `09${draw.digits(8)}`,
          `+849${draw.digits(8)}`,
          `0912 ${draw.digits(3)} ${draw.digits(3)}`,
          `0987.${draw.digits(6)}`,
        ])
      : '',
    email: draw.chance(0.2) ? draw.of([`dan${i}@thu.vn`, `Dan.${i}+y@Thu.Gov.VN`]) : '',
    birthplace: draw.of(['', 'Trạm y tế xã', 'Bệnh viện tỉnh; khoa sản, tầng 2']),
    native_place: draw.of(['', 'Gia Lai', 'thôn "Đông", xã Tây']),
    permanent_address: draw.of(['', `${i} Lê Lợi, tổ 3`, 'Thôn 2\nxã cũ Ia Mơ', '12/4; ngõ 5, "phố Cổ"']),
    permanent_commune: draw.chance(0.6) ? draw.of(inList) : '',
    current_address: draw.of(['', '', 'như trên']),
    current_commune: draw.chance(0.2) ? draw.of(inList) : '',
    commune_list: list,
    unit_code: draw.of([...wish.units].filter(([, level]) => level === 'STATION').map(([code]) => code)),
    source_key: nameless || draw.chance(0.5) ? '' : `NG-${wish.seed}-${i}`,
  };
  if (draw.chance(0.02)) row.gender = draw.of(['3', 'Chưa xác định', 'UNDETERMINED']);
  return row;
}

function card(i: number, draw: Draw, wish: FileWish): Draft {
  const place = draw.of(['01', '38', '52', '64', '96', '97', '98']);
  const whole = `${draw.of(['DN', 'TE', 'HT', 'CK', 'GD', 'QN'])}${draw.of(['1', '2', '3', '4', '5'])}${place}${two(wish.seed % 100)}${draw.digits(2)}${six(i)}`;
  const short = draw.chance(0.1);
  const from = 2020 + draw.below(6);
  return {
    number: short
      ? whole.slice(5)
      : draw.of([
          whole,
          whole,
          whole.toLowerCase(),
          whole.replace(/^(..)(.)(..)(.{5})/, '$1 $2 $3 $4 '),
          whole.replace(/^(..)(.)/, '$1-$2-'),
        ]),
    personal_id: draw.chance(0.1) ? '' : holder(i, draw, wish),
    full_name: draw.chance(0.5) ? `${draw.of(surnames)} ${draw.of(middles)} ${draw.of(givens)}` : '',
    date_of_birth: draw.of(['', '1985', '03/1985', '1985-03-15']),
    valid_from: draw.of([`${from}-01-01`, `01/01/${from}`, '29/02/2024', '2027-01-01']),
    valid_to: draw.of(['', '31/12/2027', '2028-02-29', '2027-01-01']),
    registered_facility: draw.of(['', '52901', '01000', '38010']),
    issuer: short || draw.chance(0.5) ? '' : place === '97' ? 'BHXH_BQP' : place === '98' ? 'BHXH_CAND' : 'BHXH_VN',
  };
}

function result(i: number, draw: Draw, wish: FileWish): Draft {
  const owner = holder(i, draw, wish);
  return {
    code: `${owner}.KQ.${draw.of(['G18.000010', 'G15.000038', 'H08.000001'])}.${draw.of(['', 'LLTP-', '15/QĐ-SYT-'])}${wish.seed}-${i}`,
    personal_id: draw.chance(0.1) ? '' : owner,
    name: draw.of(['Chứng chỉ hành nghề dược', 'Giấy khai sinh', 'Giấy xác nhận, "bản sao"; có dấu']),
    kind: '',
    issuing_agency: draw.of(['', 'Sở Y tế', 'UBND xã; một cửa']),
    issued_on: draw.of(['', '2024-02-29', '15/06/2023', '2027-01-01']),
    valid_to: draw.of(['', '2030-01-31', '29/02/2028']),
    excerpt: draw.of(['', 'về việc cấp lại', 'dòng 1\ndòng 2']),
    file: draw.of(['', `${owner}.KQ.G18.000010_Signed_1718000000.pdf`]),
  };
}

const holder = (i: number, draw: Draw, wish: FileWish): string =>
  wish.holders?.length && draw.chance(0.5) ? draw.of(wish.holders) : `0${draw.of(['38', '52', '64'])}090${six(i)}`;

function unit(i: number, draw: Draw, wish: FileWish, before: readonly Draft[]): Draft {
  const made = before.filter((other) => other.level === 'CENTRE').map((other) => other.code ?? '');
  const provinces = ofLevel(wish, 'PROVINCE');
  const level = draw.of(
    provinces.length === 0 ? (['STATION', 'FACILITY'] as const) : (['CENTRE', 'STATION', 'STATION', 'FACILITY'] as const),
  );
  const centres = [...ofLevel(wish, 'CENTRE'), ...made];
  const above = level === 'STATION' || provinces.length === 0 ? centres : provinces;
  return {
    code: `DV${wish.seed}-${i}`,
    name: draw.of(['Trạm y tế xã Đông', 'Trung tâm y tế "khu vực", cơ sở 2', 'Bệnh viện; phân viện']),
    level,
    parent_code: draw.of(above),
    valid_from: draw.of(['', '2025-07-01', '01/07/2025', '29/02/2024']),
  };
}

function account(i: number, draw: Draw, wish: FileWish): Draft {
  const role = draw.of(['clerk', 'clerk', 'centre', 'auditor', 'steward']);
  const level = role === 'clerk' ? 'STATION' : role === 'centre' ? 'CENTRE' : 'PROVINCE';
  return {
    login: `can-bo-${wish.seed}-${i}`,
    full_name: `${draw.of(surnames)} ${draw.of(middles)} ${draw.of(givens)}`,
    unit_code: draw.of(ofLevel(wish, level)),
    role,
    email: draw.of(['', `can.bo.${i}@soyte.gov.vn`]),
  };
}

const rightRow = { citizens: citizen, cards: card, results: result, units: unit, accounts: account } as const;

export function makeFile(wish: FileWish): MadeFile {
  const draw = new Draw(wish.seed);
  const delimiter = wish.delimiter ?? ',';
  const lineEnd = wish.lineEnd ?? '\n';
  const names = faultNames(wish.kind);
  const wanted = Math.max(names.length, Math.round(wish.rows * wish.share));
  const places = badPlaces(wish.rows, wanted, draw);
  const order = draw.shuffled(columns[wish.kind]);
  order.splice(draw.below(order.length), 0, 'ghi chú riêng'); // an unknown column is reported, not fatal

  const before: Draft[] = [];
  const rows: Row[] = [];
  const meant = new Map<number, string>();
  const repeats = new Set<number>();
  const lines: string[] = [order.map((name) => quoted(name, delimiter)).join(delimiter)];
  let line = 2;
  let bad = 0;
  for (let i = 0; i < wish.rows; i++) {
    let row = rightRow[wish.kind](i, draw, wish, before);
    let width: Row['width'] = 'right';
    if (places.has(i)) {
      const name = bad < names.length ? (names[bad] ?? '') : draw.of(names);
      bad++;
      meant.set(line, name);
      if (name in shapes) width = shapes[name as keyof typeof shapes];
      else faults[wish.kind][name]?.(row, draw, wish, before);
    } else {
      if (before.length > 0 && draw.chance(0.01)) {
        row = { ...draw.of(before) };
        repeats.add(line);
      } else before.push({ ...row });
      if (draw.chance(0.3)) makeUnusual(row, draw);
    }
    row['ghi chú riêng'] = draw.of(['', 'x', 'có, dấu phẩy']);
    const cells = order.map((name) => row[name] ?? '').map((text) => (draw.chance(0.1) ? always(text) : quoted(text, delimiter)));
    if (width === 'tooMany') cells.push('thừa', 'nữa');
    if (width === 'tooFew') cells.splice(-3);
    const text = cells.join(delimiter);
    lines.push(text);
    rows.push({ line, cells: row, width });
    line += 1 + (text.match(/\n/g)?.length ?? 0);
  }
  return { csv: (wish.bom ? '\uFEFF' : '') + lines.join(lineEnd) + lineEnd, rows, faults: meant, repeats };
}

/** Faults that repeat an earlier row need one: no fault stands in the first tenth of the file. */
function badPlaces(rows: number, wanted: number, draw: Draw): Set<number> {
  const first = Math.ceil(rows / 10);
  if (wanted > rows - first) throw new Error(`${rows} rows have no room for ${wanted} wrong ones`);
  const places = new Set<number>();
  while (places.size < wanted) places.add(first + draw.below(rows - first));
  return places;
}

/** Looks wrong and is right: tones as letters of their own, blanks around, a blank that does not break. */
function makeUnusual(row: Draft, draw: Draw): void {
  for (const [column, text] of Object.entries(row)) {
    if (text === '' || draw.chance(0.6)) continue;
    row[column] = draw.of([text.normalize('NFD'), `  ${text}`, `${text} `, `${text}\u00A0`, `\t${text}`]);
  }
}

const always = (text: string) => `"${text.replaceAll('"', '""')}"`;
const quoted = (text: string, delimiter: string) => (/["\r\n\t]/.test(text) || text.includes(delimiter) ? always(text) : text);
const two = (value: number) => String(value).padStart(2, '0');
const six = (value: number) => String(value).padStart(6, '0');
/** A number as two given names, so that nobody without a number has another's name by accident. */
const words = (i: number) =>
  `${givens[i % givens.length] ?? ''} ${givens[Math.floor(i / givens.length) % givens.length] ?? ''} ${middles[Math.floor(i / 900) % 20] ?? ''}`;

/** Mulberry32: small, and the same everywhere. */
class Draw {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  chance(part: number): boolean {
    return this.next() < part;
  }

  of<T>(list: readonly T[]): T {
    const found = list[this.below(list.length)];
    if (found === undefined) throw new Error('nothing to draw from');
    return found;
  }

  digits(count: number): string {
    return Array.from({ length: count }, () => this.below(10)).join('');
  }

  shuffled<T>(list: readonly T[]): T[] {
    const left = [...list];
    return Array.from({ length: left.length }, () => left.splice(this.below(left.length), 1)).flat();
  }
}
