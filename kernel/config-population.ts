import type { Setting } from './config-catalogue.ts';
import { optional, text, whole } from './config-readers.ts';

/* Settings of the population database; part of the catalogue of all settings. */

const setting = <T>(given: Setting<T>): Setting<T> => given;
const word = optional(text.regex(/^[\x21-\x7e]{1,100}$/));
const aWord = { en: 'printable characters without blanks, at most 100', vi: 'các ký tự in được, không có dấu cách, tối đa 100' };

export const populationCatalogue = {
  POPULATION_USER: setting({
    read: word,
    what: {
      en: 'Account of the hub at the population database, by which each call is signed.',
      vi: 'Tài khoản của hệ thống tại CSDL quốc gia về dân cư, dùng để ký mỗi lần gọi.',
    },
    wanted: aWord,
    default: 'of the simulator; in production needed with `POPULATION_URL`',
  }),
  POPULATION_SECRET: setting({
    read: word,
    what: { en: 'Secret of that account; it never travels.', vi: 'Khóa bí mật của tài khoản đó; không bao giờ được gửi đi.' },
    wanted: aWord,
    default: 'of the simulator; in production needed with `POPULATION_URL`',
    secret: true,
  }),
  POPULATION_CLIENT: setting({
    read: word,
    what: { en: 'X-Road client that the exchange platform knows.', vi: 'Định danh X-Road mà nền tảng tích hợp nhận biết.' },
    wanted: aWord,
    default: 'none',
  }),
  POPULATION_API_KEY: setting({
    read: word,
    what: { en: 'Key of the exchange platform.', vi: 'Khóa API của nền tảng tích hợp.' },
    wanted: aWord,
    default: 'none',
    secret: true,
  }),
  POPULATION_OFFICER: setting({
    read: word,
    what: {
      en: 'Code of the officer in whose name the hub asks (MaCanBo).',
      vi: 'Mã cán bộ mà hệ thống nhân danh khi tra cứu (MaCanBo).',
    },
    wanted: aWord,
    default: 'of the simulator; in production needed with `POPULATION_URL`',
  }),
  POPULATION_UNIT: setting({
    read: word,
    what: { en: 'Code of his unit (MaDonVi).', vi: 'Mã đơn vị của cán bộ đó (MaDonVi).' },
    wanted: aWord,
    default: 'of the simulator; in production needed with `POPULATION_URL`',
  }),
  POPULATION_PROCEDURE: setting({
    read: word,
    what: {
      en: 'Code of the administrative procedure for which the hub asks (MaDVC).',
      vi: 'Mã thủ tục hành chính mà hệ thống tra cứu để giải quyết (MaDVC).',
    },
    wanted: aWord,
    default: 'of the simulator; in production needed with `POPULATION_URL`',
  }),
  POPULATION_CA_FILE: setting({
    read: optional(text),
    what: {
      en: 'PEM of the authority that signed its certificate, where that is not a public one.',
      vi: 'Tệp PEM của tổ chức cấp chứng thư cho máy chủ đó, nếu không phải tổ chức công cộng.',
    },
    wanted: { en: 'a file', vi: 'một tệp' },
    default: 'the authorities that Node trusts',
  }),
  POPULATION_CALLS_PER_SECOND: setting({
    read: whole(1, 100_000).default(1_000),
    what: {
      en: 'Calls at most in a second, of all processes together: what the agreement says.',
      vi: 'Số lần gọi tối đa mỗi giây của tất cả tiến trình cộng lại: theo thỏa thuận kết nối.',
    },
    wanted: { en: 'a whole number from 1 to 100000', vi: 'một số nguyên từ 1 đến 100000' },
    default: '1000',
  }),
  POPULATION_CALLS_AT_ONCE: setting({
    read: whole(1, 256).default(16),
    what: { en: 'Calls under way at once, of one process.', vi: 'Số lần gọi đồng thời của một tiến trình.' },
    wanted: { en: 'a whole number from 1 to 256', vi: 'một số nguyên từ 1 đến 256' },
    default: '16',
  }),
  HUB_RECONCILE_AT: setting({
    read: text.regex(/^(?:[01]\d|2[0-3]):[0-5]\d$|^never$/).default('01:30'),
    what: {
      en: 'When the nightly comparison with the population database begins, time of Việt Nam; `never`: only on demand.',
      vi: 'Giờ bắt đầu đối soát hằng đêm với CSDL quốc gia về dân cư, giờ Việt Nam; `never`: chỉ khi có yêu cầu.',
    },
    wanted: { en: 'a time such as 01:30, or never', vi: 'một giờ như 01:30, hoặc never' },
    default: '01:30',
  }),
  HUB_RECONCILE_AFTER_DAYS: setting({
    read: whole(1, 3_650).default(90),
    what: {
      en: 'A citizen is compared again after so many days; sooner when he was changed, or when something about him is open.',
      vi: 'Sau số ngày này công dân được đối soát lại; sớm hơn nếu hồ sơ đã thay đổi hoặc còn sai lệch chưa xử lý.',
    },
    wanted: { en: 'a number of days, at least 1', vi: 'một số ngày, ít nhất 1' },
    default: '90',
  }),
} as const;
