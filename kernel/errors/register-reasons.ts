/** Reasons of the register of accounts, clients and legal bases. */
export const registerReasons = {
  CLIENT_ID_FORMAT: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'A client id has 3–64 characters: lower-case letters, digits and hyphens, beginning with a letter.',
    vi: 'Mã hệ thống gồm 3–64 ký tự: chữ thường không dấu, chữ số và gạch nối, bắt đầu bằng chữ.',
  },
  CLIENT_TAKEN: {
    code: 'CONFLICT',
    since: '0.1',
    en: 'There is a client with this id already, perhaps a revoked one. Ids are never given twice: choose another.',
    vi: 'Đã có hệ thống dùng mã này, có thể đã bị thu hồi. Mã không được cấp lại: hãy chọn mã khác.',
  },
  CLIENT_UNKNOWN: {
    code: 'NOT_FOUND',
    since: '0.1',
    en: 'There is no client with this id in force. See "clients list".',
    vi: 'Không có hệ thống nào đang hiệu lực với mã này. Xem "clients list".',
  },
  LOGIN_FORMAT: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'A log-in has 3–64 characters: lower-case letters, digits, ".", "_" and "-", beginning with a letter.',
    vi: 'Tên đăng nhập gồm 3–64 ký tự: chữ thường không dấu, chữ số, ".", "_" và "-", bắt đầu bằng chữ.',
  },
  LOGIN_TAKEN: {
    code: 'CONFLICT',
    since: '0.1',
    en: 'There is an account with this log-in already. Choose another.',
    vi: 'Tên đăng nhập này đã có. Hãy chọn tên khác.',
  },
  ACCOUNT_UNKNOWN: {
    code: 'NOT_FOUND',
    since: '0.1',
    en: 'There is no account with this log-in. See "users list".',
    vi: 'Không có tài khoản với tên đăng nhập này. Xem "users list".',
  },
  ACCOUNT_DISABLED: {
    code: 'CONFLICT',
    since: '0.1',
    en: 'This account is disabled. Enable it first: "users enable LOGIN".',
    vi: 'Tài khoản này đang bị khóa. Hãy mở lại trước: "users enable LOGIN".',
  },
  ROLE_NOT_FOR_CLIENT: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'A client has one of the roles integrator, hospital, reader, insurer.',
    vi: 'Hệ thống chỉ nhận một trong các vai trò integrator, hospital, reader, insurer.',
  },
  ROLE_NOT_FOR_ACCOUNT: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'An account has one of the roles steward, centre, clerk, auditor.',
    vi: 'Tài khoản chỉ nhận một trong các vai trò steward, centre, clerk, auditor.',
  },
  PURPOSE_UNKNOWN: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'A purpose is one of TREAT, ETREAT, HPAYMT, HOPERAT, PUBHLTH, PATRQT, HRESCH.',
    vi: 'Mục đích là một trong TREAT, ETREAT, HPAYMT, HOPERAT, PUBHLTH, PATRQT, HRESCH.',
  },
  POINTS_RANGE: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'Points per minute are a whole number from 1 to 100,000,000.',
    vi: 'Số điểm mỗi phút là số nguyên từ 1 đến 100.000.000.',
  },
  PASSWORD_LENGTH: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'A password has 12–200 characters.',
    vi: 'Mật khẩu dài 12–200 ký tự.',
  },
  BASIS_UNKNOWN: {
    code: 'NOT_FOUND',
    since: '0.1',
    en: 'There is no legal basis with this id that stands. See "bases list".',
    vi: 'Không có căn cứ pháp lý nào đang hiệu lực với mã này. Xem "bases list".',
  },
  BASIS_GROUND: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'State the ground of the basis in 3–500 characters: which request, consent or article of law.',
    vi: 'Hãy nêu căn cứ trong 3–500 ký tự: đơn đề nghị, sự đồng ý hoặc điều luật nào.',
  },
  BASIS_PERMISSION: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'A legal basis can lend this client only what its role may read on such a basis: for an insurer citizen:read, result:read, slip:read.',
    vi: 'Căn cứ pháp lý chỉ cho hệ thống những quyền mà vai trò của nó được nhận theo căn cứ: với insurer là citizen:read, result:read, slip:read.',
  },
  BASIS_PERIOD: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'A legal basis begins before it ends. Times are ISO 8601, e.g. 2026-12-31 or 2026-12-31T17:00:00Z.',
    vi: 'Căn cứ pháp lý phải bắt đầu trước khi kết thúc. Thời gian theo ISO 8601, ví dụ 2026-12-31 hoặc 2026-12-31T17:00:00Z.',
  },
} as const;
