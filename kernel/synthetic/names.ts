import type { PersonName } from '../domain/person-name.ts';
import type { Random } from './random.ts';

/* Frequent Vietnamese names; the shares of surnames are rounded. Whoever they put together does not exist. */

const surnames = [
  ['Nguyễn', 38],
  ['Trần', 12],
  ['Lê', 10],
  ['Phạm', 7],
  ['Huỳnh', 5],
  ['Phan', 5],
  ['Võ', 5],
  ['Đặng', 3],
  ['Bùi', 3],
  ['Đỗ', 2],
  ['Hồ', 2],
  ['Ngô', 2],
  ['Dương', 2],
  ['Đinh', 2],
  ['Trương', 1],
  ['Mai', 1],
  ['Tô', 1],
  ['Châu', 1],
] as const;

const middles = {
  MALE: ['Văn', 'Văn', 'Văn', 'Đức', 'Hữu', 'Minh', 'Quang', 'Thanh', 'Ngọc', 'Quốc', 'Xuân', 'Công', 'Đình', 'Tấn', ''],
  FEMALE: ['Thị', 'Thị', 'Thị', 'Thị', 'Ngọc', 'Thanh', 'Thu', 'Kim', 'Mỹ', 'Thuỳ', 'Bích', 'Hồng', 'Thị Thu', 'Thị Kim', ''],
} as const;

const givens = {
  MALE: [
    'Anh',
    'Bảo',
    'Cường',
    'Dũng',
    'Duy',
    'Đạt',
    'Đông',
    'Hải',
    'Hiếu',
    'Hoàng',
    'Hùng',
    'Huy',
    'Khang',
    'Khoa',
    'Kiên',
    'Lâm',
    'Long',
    'Mạnh',
    'Nam',
    'Nghĩa',
    'Nhân',
    'Phong',
    'Phúc',
    'Quân',
    'Sơn',
    'Tài',
    'Thắng',
    'Thành',
    'Tiến',
    'Toàn',
    'Trung',
    'Tuấn',
    'Việt',
    'Vinh',
  ],
  FEMALE: [
    'Ánh',
    'Châu',
    'Diễm',
    'Dung',
    'Duyên',
    'Giang',
    'Hà',
    'Hạnh',
    'Hằng',
    'Hiền',
    'Hoa',
    'Hương',
    'Lan',
    'Liên',
    'Linh',
    'Loan',
    'Mai',
    'My',
    'Nga',
    'Ngân',
    'Nhung',
    'Oanh',
    'Phương',
    'Quyên',
    'Tâm',
    'Thảo',
    'Thương',
    'Thuý',
    'Trang',
    'Trinh',
    'Tuyết',
    'Vân',
    'Xuân',
    'Yến',
  ],
} as const;

export function someName(random: Random, gender: 'MALE' | 'FEMALE'): PersonName {
  const words = [random.weighted(surnames), random.pick(middles[gender]), random.pick(givens[gender])];
  return words.filter((word) => word !== '').join(' ') as PersonName;
}

/** The same person with another given name: differs without tones and blanks too. */
export function otherGivenName(random: Random, name: PersonName, gender: 'MALE' | 'FEMALE'): PersonName {
  const words = name.split(' ');
  const last = words.at(-1);
  const others = givens[gender].filter((given) => given !== last);
  return [...words.slice(0, -1), random.pick(others)].join(' ') as PersonName;
}
