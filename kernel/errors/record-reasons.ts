/** Reasons of looking up and listing records. They hold no value of a person. */
export const recordReasons = {
  LOOKUP_ONE_KEY: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'Give exactly one of the two keys: the id of the hub, or the number.',
    vi: 'Hãy gửi đúng một trong hai khóa: mã của hệ thống hoặc số giấy tờ.',
  },
  CARD_TWO_HOLDERS: {
    code: 'CONFLICT',
    since: '0.1',
    en: 'More than one person holds this card number, and not exactly one of the cards is in force. List them with "insuranceCards" and ask by id.',
    vi: 'Có nhiều người cùng mã thẻ này và không xác định được duy nhất một thẻ đang có hiệu lực. Hãy liệt kê bằng "insuranceCards" rồi tra theo mã của hệ thống.',
  },
  RESULT_TWO_HOLDERS: {
    code: 'CONFLICT',
    since: '0.1',
    en: 'Results of more than one person carry this code. List them with "digitizedResults" and ask by id.',
    vi: 'Có kết quả của nhiều người cùng mang mã này. Hãy liệt kê bằng "digitizedResults" rồi tra theo mã của hệ thống.',
  },
  RESULT_KNOWN: {
    code: 'CONFLICT',
    since: '0.1',
    en: 'A paper in force stands under this code already. Change that one, or say first that it was replaced, revoked or expired.',
    vi: 'Đã có giấy tờ đang hiệu lực mang mã này. Hãy sửa giấy tờ đó, hoặc trước hết ghi rằng giấy tờ đó đã được thay thế, thu hồi hoặc hết hạn.',
  },
  RESULT_OWNER_NEEDED: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'It is not said whose paper this is. Send "citizenId" or "personalId", or a code that begins with the personal number.',
    vi: 'Chưa cho biết giấy tờ này của ai. Hãy gửi "citizenId" hoặc "personalId", hoặc mã giấy tờ bắt đầu bằng số định danh.',
  },
  RESULT_OWNER_OTHER: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'The code begins with a number that this person does not have. Compare the code with the paper; if it is right, add the number to the citizen first, and name him by "citizenId".',
    vi: 'Mã giấy tờ bắt đầu bằng số không phải của người này. Hãy đối chiếu mã với giấy tờ; nếu đúng, trước hết hãy thêm số đó vào hồ sơ người dân rồi gửi "citizenId".',
  },
  RESULT_OWNER_TWO: {
    code: 'CONFLICT',
    since: '0.1',
    en: 'More than one person has this number. Name the right one by "citizenId".',
    vi: 'Có nhiều người cùng số này. Hãy chỉ rõ người đúng bằng "citizenId".',
  },
  RESULT_STATE_WAY: {
    code: 'CONFLICT',
    since: '0.1',
    en: 'A paper goes from IN_FORCE to REPLACED, REVOKED or EXPIRED, and from there to REVOKED; it does not come back. If the state was set by mistake, undo that change; WITHDRAWN is set by the withdrawal.',
    vi: 'Giấy tờ chỉ chuyển từ IN_FORCE sang REPLACED, REVOKED hoặc EXPIRED, rồi sang REVOKED; không quay lại. Nếu đặt nhầm trạng thái, hãy hoàn lại thay đổi đó; WITHDRAWN được đặt bằng thao tác rút.',
  },
  SLIP_KNOWN: {
    code: 'CONFLICT',
    since: '0.1',
    en: 'This person has a slip of this number from this facility. Change or withdraw that one instead of adding another.',
    vi: 'Người này đã có phiếu mang số này của cơ sở này. Hãy sửa hoặc rút phiếu đó thay vì thêm phiếu mới.',
  },
  SLIP_SIGNED: {
    code: 'CONFLICT',
    since: '0.1',
    en: 'A hospital signed this slip, so what it says is never edited. Ask the hospital for a new signed slip, or withdraw this one; its status alone can be changed.',
    vi: 'Phiếu này do bệnh viện ký số nên không được sửa nội dung. Hãy đề nghị bệnh viện gửi phiếu ký mới, hoặc rút phiếu này; chỉ có thể đổi trạng thái.',
  },
  SLIP_OF_ANOTHER_UNIT: {
    code: 'FORBIDDEN',
    since: '0.1',
    en: 'You see this slip as the facility that issued it; it is changed by the unit of its citizen. Ask that unit, or send a new signed slip.',
    vi: 'Bạn xem phiếu này với tư cách cơ sở cấp phiếu; chỉ đơn vị của người dân mới được sửa. Hãy liên hệ đơn vị đó, hoặc gửi phiếu ký mới.',
  },
  SLIP_STATUS_WAY: {
    code: 'CONFLICT',
    since: '0.1',
    en: 'A slip goes forward only: ISSUED, SHOWN, ACCEPTED, USED; before ACCEPTED also EXPIRED, before USED also CANCELLED. If the status was set by mistake, undo that change; WITHDRAWN is set by the withdrawal, REPLACED by a newer signed slip.',
    vi: 'Phiếu chỉ chuyển tới: ISSUED, SHOWN, ACCEPTED, USED; trước ACCEPTED có thể EXPIRED, trước USED có thể CANCELLED. Nếu đặt nhầm, hãy hoàn lại thay đổi đó; WITHDRAWN được đặt bằng thao tác rút, REPLACED bằng phiếu ký mới hơn.',
  },
} as const;
