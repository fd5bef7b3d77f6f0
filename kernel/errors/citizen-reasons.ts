/** Reasons of reading citizens and of their import files. */
export const citizenReasons = {
  NUMBER_OF_TWO: {
    code: 'CONFLICT',
    since: '0.1',
    en: 'Two people in your units hold this number and neither is confirmed. Find them with "citizens", settle whose it is, or ask by "id".',
    vi: 'Có hai người trong các đơn vị của bạn cùng mang số này và chưa ai được xác nhận. Hãy tìm bằng "citizens", xác định chủ sở hữu, hoặc hỏi theo "id".',
  },
  SEARCH_TOO_SHORT: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'A search by name needs at least two letters. Type one more.',
    vi: 'Tìm theo tên cần ít nhất hai chữ cái. Hãy gõ thêm.',
  },
  ORDER_ONE: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'A list has one order: give exactly one field of "orderBy".',
    vi: 'Danh sách chỉ có một thứ tự: hãy chọn đúng một trường trong "orderBy".',
  },
  INSTANT_FORMAT: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'Write the instant in ISO 8601 with its zone, e.g. 2026-11-24T03:00:00Z.',
    vi: 'Ghi thời điểm theo ISO 8601 kèm múi giờ, ví dụ 2026-11-24T03:00:00Z.',
  },
  TEXT_LENGTH: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'The text is longer than 500 characters. Shorten it.',
    vi: 'Nội dung dài hơn 500 ký tự. Hãy rút gọn.',
  },
  COMMUNE_CODE_FORMAT: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'A commune code has 5 digits; keep leading zeros (format the column as text).',
    vi: 'Mã xã gồm 5 chữ số; giữ số 0 ở đầu (định dạng cột là văn bản).',
  },
  COMMUNE_LIST: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'The version of the commune list is 2024 (before 01/07/2025) or 2025 (since then).',
    vi: 'Phiên bản danh mục xã là 2024 (trước 01/07/2025) hoặc 2025 (từ ngày đó).',
  },
  UNIT_UNKNOWN: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'No unit in your scope has this code. Compare it with "orgUnits".',
    vi: 'Không có đơn vị nào trong phạm vi của bạn mang mã này. Hãy đối chiếu với "orgUnits".',
  },
  UNIT_DIFFERS: {
    code: 'CONFLICT',
    since: '0.1',
    en: 'This person is kept by another unit of your scope. Move him there first, or correct the unit code.',
    vi: 'Người này đang do đơn vị khác trong phạm vi của bạn quản lý. Hãy chuyển hồ sơ trước, hoặc sửa mã đơn vị.',
  },
  AFTER_DAYS_RANGE: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: '"afterDays" is a whole number from 0 (everybody) to 3650; leave it out for what the hub is set to.',
    vi: '"afterDays" là số nguyên từ 0 (mọi công dân) đến 3650; bỏ trống để dùng cài đặt của hệ thống.',
  },
} as const;
