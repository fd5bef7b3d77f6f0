/** Reasons of changes of units. */
export const unitReasons = {
  UNIT_CODE_FORMAT: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'The code of a unit has 1–30 characters: letters without tone marks, digits, ".", "_" and "-". Take it from the ministry\'s list.',
    vi: 'Mã đơn vị gồm 1–30 ký tự: chữ không dấu, chữ số, ".", "_" và "-". Hãy lấy mã từ danh mục của Bộ.',
  },
  UNIT_CODE_TAKEN: {
    code: 'CONFLICT',
    since: '0.1',
    en: 'A unit in force has this code already. Check the code; a code is free again when its unit has ended.',
    vi: 'Đã có đơn vị đang hoạt động mang mã này. Hãy kiểm tra lại mã; mã chỉ dùng lại được khi đơn vị cũ đã kết thúc.',
  },
  UNIT_NAME_LENGTH: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'The name of a unit has 1–200 characters.',
    vi: 'Tên đơn vị dài 1–200 ký tự.',
  },
  UNIT_LEVEL_ORDER: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'Centres stand below the province, stations below a centre or the province, facilities below any of these, and nothing below a facility. Choose another level or another unit above.',
    vi: 'Trung tâm trực thuộc tỉnh, trạm trực thuộc trung tâm hoặc tỉnh, cơ sở khám chữa bệnh trực thuộc một trong các đơn vị đó và không có đơn vị cấp dưới. Hãy chọn cấp khác hoặc đơn vị cấp trên khác.',
  },
  UNIT_CYCLE: {
    code: 'CONFLICT',
    since: '0.1',
    en: 'A unit cannot stand below itself or below one of its own units. Choose another unit above.',
    vi: 'Đơn vị không thể trực thuộc chính mình hoặc đơn vị cấp dưới của mình. Hãy chọn đơn vị cấp trên khác.',
  },
  UNIT_ENDED: {
    code: 'CONFLICT',
    since: '0.1',
    en: 'This unit has ended and is not changed any more. Create a new one.',
    vi: 'Đơn vị này đã kết thúc và không thay đổi nữa. Hãy tạo đơn vị mới.',
  },
  UNIT_END_DAY: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'A unit ends today or ended earlier, and not before its first day. Send such a day, or leave it out for today.',
    vi: 'Ngày kết thúc phải là hôm nay hoặc trước đó và không trước ngày bắt đầu. Hãy gửi ngày phù hợp, hoặc bỏ trống để lấy hôm nay.',
  },
  UNIT_HOLDS_UNITS: {
    code: 'CONFLICT',
    since: '0.1',
    en: 'Units in force stand below this one: {count}. Move them below another unit, or withdraw them first.',
    vi: 'Còn đơn vị đang hoạt động trực thuộc đơn vị này: {count}. Hãy chuyển sang đơn vị khác hoặc rút trước.',
  },
  UNIT_HOLDS_ACCOUNTS: {
    code: 'CONFLICT',
    since: '0.1',
    en: 'Accounts or clients that stand belong to this unit: {count}. Move or end them first.',
    vi: 'Còn tài khoản hoặc hệ thống đang hiệu lực thuộc đơn vị này: {count}. Hãy chuyển hoặc khóa trước.',
  },
  UNIT_HOLDS_CITIZENS: {
    code: 'CONFLICT',
    since: '0.1',
    en: 'Citizens belong to this unit: {count}. Move them to another unit first; their records go with them.',
    vi: 'Còn người dân thuộc đơn vị này: {count}. Hãy chuyển họ sang đơn vị khác trước; hồ sơ đi theo.',
  },
  UNIT_HOLDS_RECORDS: {
    code: 'CONFLICT',
    since: '0.1',
    en: 'Records wait at this unit for their citizen, or its slips are still open: {count}. Withdraw or close them first.',
    vi: 'Còn hồ sơ đang chờ người dân tại đơn vị này hoặc phiếu chưa đóng của đơn vị: {count}. Hãy rút hoặc đóng trước.',
  },
  UNIT_HOLDS_WORK: {
    code: 'CONFLICT',
    since: '0.1',
    en: 'Work waits for a decision at this unit: {count}. Decide it, or hand it over first.',
    vi: 'Còn việc chờ quyết định tại đơn vị này: {count}. Hãy quyết định hoặc chuyển giao trước.',
  },
} as const;
