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
} as const;
