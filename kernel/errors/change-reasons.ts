/** Reasons of mutations of every kind, and of changes of a citizen. */
export const changeReasons = {
  IDEMPOTENCY_KEY: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'A mutation needs the header Idempotency-Key: 8 to 128 of A–Z, a–z, 0–9, "_" and "-", a new one for each change, the same one for a repeat.',
    vi: 'Mỗi thay đổi cần tiêu đề Idempotency-Key: từ 8 đến 128 ký tự A–Z, a–z, 0–9, "_" và "-"; mỗi thay đổi một khóa mới, gửi lại thì dùng khóa cũ.',
  },
  IDEMPOTENCY_OTHER_INPUT: {
    code: 'IDEMPOTENCY_MISMATCH',
    since: '0.1',
    en: 'This Idempotency-Key was used with another input. Take a new key for a new change.',
    vi: 'Khóa Idempotency-Key này đã được dùng với nội dung khác. Hãy dùng khóa mới cho thay đổi mới.',
  },
  VERSION_STALE: {
    code: 'CONFLICT_VERSION',
    since: '0.1',
    en: 'The record was changed since you read it. Read it again and decide on what stands there now.',
    vi: 'Hồ sơ đã thay đổi sau khi bạn đọc. Hãy đọc lại rồi quyết định theo dữ liệu hiện tại.',
  },
  RECORD_UNKNOWN: {
    code: 'NOT_FOUND',
    since: '0.1',
    en: 'There is no such record among those of your units. Check the id.',
    vi: 'Không có hồ sơ này trong các đơn vị của bạn. Hãy kiểm tra lại mã.',
  },
  FIELD_REQUIRED: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'This field cannot be erased. Leave it out to keep what is stored, or send a value.',
    vi: 'Không được xóa trường này. Bỏ trống để giữ nguyên dữ liệu, hoặc gửi giá trị.',
  },
  UNIT_NOT_YOURS: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'There is no such unit in your scope. Take an id from "orgUnits".',
    vi: 'Không có đơn vị này trong phạm vi của bạn. Hãy lấy mã từ "orgUnits".',
  },
  NUMBER_TAKEN: {
    code: 'CONFLICT',
    since: '0.1',
    en: 'The hub knows this personal number already. Check it on the paper; if it is right, ask your health centre. Nothing was changed.',
    vi: 'Số định danh này đã có trong hệ thống. Hãy đối chiếu với giấy tờ; nếu đúng, hãy liên hệ trung tâm y tế. Chưa có dữ liệu nào bị thay đổi.',
  },
  NUMBER_TAKEN_TOO_OFTEN: {
    code: 'RATE',
    since: '0.1',
    en: 'You sent 20 personal numbers within 24 hours that the hub knows already. Numbers can be written again later; leave the number out until then.',
    vi: 'Trong 24 giờ bạn đã gửi 20 số định danh đã có trong hệ thống. Hãy thử lại sau; trước mắt để trống số định danh.',
  },
  CITIZEN_MERGED: {
    code: 'CONFLICT',
    since: '0.1',
    en: 'This record was merged into another and is not changed any more. Read "citizen" with this id to get the one that goes on.',
    vi: 'Hồ sơ này đã được gộp vào hồ sơ khác và không thay đổi nữa. Hãy đọc "citizen" với mã này để lấy hồ sơ hiện hành.',
  },
  LIFE_STATUS_HERE: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: '"withdrawCitizen" takes MOVED_AWAY or DECEASED; "updateCitizen" takes ACTIVE, which takes a withdrawal back.',
    vi: '"withdrawCitizen" nhận MOVED_AWAY hoặc DECEASED; "updateCitizen" nhận ACTIVE để hủy việc rút hồ sơ.',
  },
  COMMUNE_UNKNOWN: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'No commune of this list version has this code. Compare it with the list, or send the address as text alone.',
    vi: 'Không có xã nào mang mã này trong phiên bản danh mục đã chọn. Hãy đối chiếu danh mục, hoặc chỉ gửi địa chỉ dạng chữ.',
  },
  TEXT_EMPTY: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'The text is empty. Leave the field out to keep what is stored, or send null to erase it.',
    vi: 'Nội dung trống. Bỏ trống trường này để giữ nguyên dữ liệu, hoặc gửi null để xóa.',
  },
  REASON_NEEDED: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'Say why, in 1 to 500 characters; it stands in the history of the record.',
    vi: 'Hãy ghi lý do, từ 1 đến 500 ký tự; lý do được lưu trong lịch sử hồ sơ.',
  },
} as const;
