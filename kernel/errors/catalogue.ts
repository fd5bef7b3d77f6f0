import { changeReasons } from './change-reasons.ts';
import { citizenReasons } from './citizen-reasons.ts';
import { exportReasons } from './export-reasons.ts';
import { fileReasons } from './file-reasons.ts';
import { graphReasons } from './graph-reasons.ts';
import { recordReasons } from './record-reasons.ts';
import { registerReasons } from './register-reasons.ts';
import { unitReasons } from './unit-reasons.ts';
import { valueReasons } from './value-reasons.ts';

/** Answer classes; `status` is the HTTP status when the whole request is refused. */
export const errorCodes = {
  UNAUTHENTICATED: { status: 401 },
  FORBIDDEN: { status: 403 },
  NOT_FOUND: { status: 404 },
  BAD_INPUT: { status: 400 },
  CONFLICT: { status: 409 },
  CONFLICT_VERSION: { status: 409 },
  IDEMPOTENCY_MISMATCH: { status: 409 },
  LIMIT: { status: 400 },
  TOO_LARGE: { status: 413 },
  UNSUPPORTED: { status: 415 },
  RATE: { status: 429 },
  SIGNATURE: { status: 400 },
  UPSTREAM_BUSY: { status: 503 },
  DEGRADED: { status: 503 },
  INTERNAL: { status: 500 },
} as const;
export type ErrorCode = keyof typeof errorCodes;

interface Entry {
  readonly code: ErrorCode;
  readonly since: string;
  readonly en: string;
  readonly vi: string;
}

/** The only place where a reason is born: what is wrong, and what to do, in both languages. */
export const catalogue = {
  ...valueReasons,
  ...graphReasons,
  ...recordReasons,
  ...citizenReasons,
  ...changeReasons,
  ...exportReasons,
  ...fileReasons,
  ...registerReasons,
  ...unitReasons,
  NO_TOKEN: {
    code: 'UNAUTHENTICATED',
    since: '0.1',
    en: 'No valid access token. Get one from /oauth/token and send it as "Authorization: Bearer …".',
    vi: 'Thiếu mã truy cập hợp lệ. Lấy mã tại /oauth/token và gửi trong tiêu đề "Authorization: Bearer …".',
  },
  ROLE_LACKS_RIGHT: {
    code: 'FORBIDDEN',
    since: '0.1',
    en: 'Your role may not do this. Ask the health department if your work needs it.',
    vi: 'Vai trò của bạn không có quyền này. Nếu công việc cần, hãy đề nghị Sở Y tế cấp quyền.',
  },
  PAGE_SIZE_RANGE: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: '"first" is a whole number from 1 to 100.',
    vi: '"first" là số nguyên từ 1 đến 100.',
  },
  CURSOR_INVALID: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'This cursor does not belong to this list, filter and order. Start again without "after".',
    vi: 'Con trỏ trang không thuộc danh sách, bộ lọc và thứ tự này. Hãy bắt đầu lại, không gửi "after".',
  },
  DATABASE_BUSY: {
    code: 'DEGRADED',
    since: '0.1',
    en: 'The hub is busier than it can answer in time. Nothing was changed. Try again after the seconds in Retry-After.',
    vi: 'Hệ thống đang quá tải nên chưa thể trả lời kịp. Không có dữ liệu nào bị thay đổi. Hãy thử lại sau số giây nêu trong Retry-After.',
  },
  DATABASE_AWAY: {
    code: 'DEGRADED',
    since: '0.1',
    en: 'The database of the hub cannot be reached for the moment. Try again after the seconds in Retry-After.',
    vi: 'Tạm thời không kết nối được cơ sở dữ liệu của hệ thống. Hãy thử lại sau số giây nêu trong Retry-After.',
  },
  DATABASE_FULL: {
    code: 'DEGRADED',
    since: '0.1',
    en: 'The database of the hub has no space left, so nothing was changed. Its operator has to free or add space; then send the same again, with the same Idempotency-Key.',
    vi: 'Cơ sở dữ liệu của hệ thống đã hết dung lượng nên không có gì được thay đổi. Người vận hành cần giải phóng hoặc thêm dung lượng; sau đó hãy gửi lại đúng yêu cầu này với cùng Idempotency-Key.',
  },
  READ_TOO_SLOW: {
    code: 'LIMIT',
    since: '0.1',
    en: 'This question takes longer than a read may take. Ask for a smaller page or a narrower filter.',
    vi: 'Truy vấn này vượt quá thời gian cho phép. Hãy yêu cầu trang nhỏ hơn hoặc thu hẹp bộ lọc.',
  },
  AUDIT_UNSEALED: {
    code: 'DEGRADED',
    since: '0.1',
    en: 'Nothing can be changed now: the access audit could not be sealed for four hours. Reading goes on; the operator of the hub must look at the worker. Send the same request again later.',
    vi: 'Hiện không thể thay đổi dữ liệu: nhật ký truy cập chưa được niêm phong trong bốn giờ. Vẫn xem được dữ liệu; người vận hành cần kiểm tra tiến trình nền. Hãy gửi lại yêu cầu này sau.',
  },
  AUDIT_UNAVAILABLE: {
    code: 'DEGRADED',
    since: '0.1',
    en: 'The access could not be recorded, so no personal data are given. Try again after the seconds in Retry-After.',
    vi: 'Không ghi được nhật ký truy cập nên hệ thống không cung cấp dữ liệu cá nhân. Hãy thử lại sau số giây nêu trong Retry-After.',
  },
  ORGANISATION_AWAY: {
    code: 'DEGRADED',
    since: '0.1',
    en: 'Who you are cannot be checked at the moment. Nothing was shown or changed. Try again in a few seconds.',
    vi: 'Hiện chưa thể kiểm tra danh tính của bạn. Không có dữ liệu nào được hiển thị hay thay đổi. Hãy thử lại sau vài giây.',
  },
  INTERNAL: {
    code: 'INTERNAL',
    since: '0.1',
    en: 'The hub made a mistake. Nothing was changed. Send the trace id to the operators.',
    vi: 'Hệ thống gặp lỗi. Không có dữ liệu nào bị thay đổi. Hãy gửi mã dấu vết cho bộ phận vận hành.',
  },
} as const satisfies Record<string, Entry>;
export type Reason = keyof typeof catalogue;
