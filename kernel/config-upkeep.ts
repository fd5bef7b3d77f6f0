import type { Setting } from './config-catalogue.ts';
import { jwk, optional, publicKeys, text, whole } from './config-readers.ts';

/* Settings of backup and retention; part of the catalogue of all settings. */

const setting = <T>(given: Setting<T>): Setting<T> => given;

const days = (from: number, otherwise: number, en: string, vi: string): Setting<number> =>
  setting({
    read: whole(from, 36_500).default(otherwise),
    what: { en, vi },
    wanted: { en: `a number of days, at least ${from}`, vi: `một số ngày, ít nhất ${from}` },
    default: String(otherwise),
  });

export const upkeepCatalogue = {
  HUB_BACKUP_DIR: setting({
    read: optional(text),
    what: {
      en: 'Folder of backups, best on another machine: `hub backup` writes there when it is given no folder, and the log of PostgreSQL is archived there in `wal`.',
      vi: 'Thư mục sao lưu, nên nằm trên máy khác: `hub backup` ghi vào đây khi không nêu thư mục, và nhật ký WAL của PostgreSQL được lưu vào thư mục con `wal`.',
    },
    wanted: { en: 'a folder', vi: 'một thư mục' },
    default: '`HUB_DATA_DIR` for the log (protects against mistakes, not against the loss of the disk)',
  }),
  HUB_BACKUP_KEY: setting({
    read: optional(text.regex(/^[0-9a-f]{64}$/i).transform((value) => Buffer.from(value, 'hex'))),
    what: {
      en: 'Encrypts backups and archived log (AES-256-GCM), 32 bytes in hex. Without it nobody restores them: keep it apart from them.',
      vi: 'Mã hóa bản sao lưu và nhật ký WAL lưu trữ (AES-256-GCM), 32 byte dạng hex. Mất khóa thì không khôi phục được: hãy cất khóa ở nơi khác với bản sao lưu.',
    },
    wanted: { en: '64 hexadecimal digits', vi: '64 chữ số thập lục phân' },
    default: 'not encrypted, files of mode 0600',
    secret: true,
  }),
  HUB_BACKUPS_KEPT: setting({
    read: whole(1, 1_000).default(7),
    what: {
      en: 'How many backups stay; `hub backup` removes older ones of this hub, and the archived log before the oldest.',
      vi: 'Số bản sao lưu được giữ; `hub backup` xóa các bản cũ hơn của hệ thống này và phần nhật ký WAL trước bản cũ nhất.',
    },
    wanted: { en: 'a whole number from 1 to 1000', vi: 'một số nguyên từ 1 đến 1000' },
    default: '7',
  }),
  HUB_KEEP_OUTBOX_DAYS: days(
    7,
    7,
    'How long messages between the parts stay after every part has done them.',
    'Thời gian giữ các thông điệp giữa các phần sau khi mọi phần đã xử lý xong.',
  ),
  HUB_KEEP_ANSWERS_DAYS: days(
    7,
    7,
    'How long a mutation may be repeated under its `Idempotency-Key`.',
    'Thời gian một thao tác có thể gửi lại với cùng `Idempotency-Key`.',
  ),
  HUB_KEEP_STAGING_DAYS: days(
    1,
    30,
    'How long the rows of an imported file stay after its run has ended: as long as refused rows can be fetched.',
    'Thời gian giữ các dòng của tệp nhập sau khi lượt chạy kết thúc, tức thời gian còn tải được các dòng bị từ chối.',
  ),
  HUB_KEEP_RUNS_DAYS: days(30, 400, 'How long ended runs stay listed.', 'Thời gian giữ danh sách các lượt chạy đã kết thúc.'),
  HUB_KEEP_SECURITY_DAYS: days(
    90,
    730,
    'How long security events (refusals, failed log-ins) stay.',
    'Thời gian giữ các sự kiện an ninh (từ chối, đăng nhập sai).',
  ),
  HUB_KEEP_VERIFICATIONS_DAYS: days(
    30,
    400,
    'How long answers of the population database stay; the newest of each citizen and field always does.',
    'Thời gian giữ các lần đối chiếu với CSDL dân cư; lần mới nhất của mỗi công dân và trường luôn được giữ.',
  ),
  HUB_KEEP_AUDIT_MONTHS: setting({
    read: whole(24, 1_200).default(120),
    what: {
      en: 'How many whole months of the access audit stay; an older month is dropped as a whole, its signed head stays.',
      vi: 'Số tháng giữ nhật ký truy cập; tháng cũ hơn bị xóa trọn tháng, phần đầu đã ký được giữ lại.',
    },
    wanted: { en: 'a number of months, at least 24', vi: 'một số tháng, ít nhất 24' },
    default: '120',
  }),
  HUB_AUDIT_KEY: setting({
    read: optional(jwk),
    what: {
      en: 'Worker: private Ed25519 JWK that signs the heads of the audit. No serving process but the worker gets it. Unset: made once, kept in the data folder.',
      vi: 'Tiến trình nền: khóa riêng Ed25519 (JWK) ký các mốc niêm phong của nhật ký truy cập. Không tiến trình phục vụ nào khác được giữ khóa này. Không đặt: tạo một lần và giữ trong thư mục dữ liệu.',
    },
    wanted: { en: 'an Ed25519 JWK with kid', vi: 'một JWK Ed25519 có kid' },
    default: 'made at the first start',
    secret: true,
  }),
  HUB_AUDIT_PUBLIC_KEYS: setting({
    read: optional(publicKeys),
    what: {
      en: '`hub verify-audit`: JSON list of public Ed25519 JWKs whose heads count beside those of `HUB_AUDIT_KEY`: of a key that was replaced, or where the private one must not lie.',
      vi: '`hub verify-audit`: danh sách JSON các khóa công khai Ed25519 được chấp nhận ngoài `HUB_AUDIT_KEY`: khóa đã thay, hoặc dùng trên máy không được giữ khóa riêng.',
    },
    wanted: { en: 'a JSON list of 1 or 2 public Ed25519 JWKs', vi: 'một danh sách JSON gồm 1 hoặc 2 JWK Ed25519 công khai' },
    default: 'none',
  }),
  HUB_AUDIT_HEADS_DIR: setting({
    read: optional(text),
    what: {
      en: 'Folder where the heads of the audit are published (files that only grow). Best on another machine, or copied there daily: whoever owns this one could change both.',
      vi: 'Thư mục công bố các mốc niêm phong của nhật ký truy cập (tệp chỉ ghi thêm). Nên nằm trên máy khác hoặc được chép sang máy khác hằng ngày: ai chiếm máy này có thể sửa cả hai.',
    },
    wanted: { en: 'a folder', vi: 'một thư mục' },
    default: '`HUB_DATA_DIR/audit-heads`',
  }),
  HUB_KEEP_HISTORY_YEARS: setting({
    read: optional(whole(10, 1_000)),
    what: {
      en: 'How many years the change history of records stays. Unset: for ever.',
      vi: 'Số năm giữ lịch sử thay đổi của hồ sơ. Không đặt: giữ mãi mãi.',
    },
    wanted: { en: 'a number of years, at least 10', vi: 'một số năm, ít nhất 10' },
    default: 'for ever',
  }),
  HUB_LOG_MIB: setting({
    read: whole(1, 10_000).default(32),
    what: {
      en: 'Size at which a log file is turned over, in MiB; one old one is kept.',
      vi: 'Cỡ tệp nhật ký khi xoay vòng, tính bằng MiB; giữ một bản cũ.',
    },
    wanted: { en: 'a whole number of MiB', vi: 'một số nguyên MiB' },
    default: '32',
  }),
} as const;
