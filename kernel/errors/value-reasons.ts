/**
 * Reasons of the values of `kernel/domain`: what is wrong with a number, a name or a date, and what to do. They hold no value of
 * a person. One entry per reason that a `parse…` of the domain can give.
 */
export const valueReasons = {
  MASKED_VALUE: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'This value is masked (•). Leave the field out to keep what is stored, or send the full value.',
    vi: 'Giá trị này đang được che (•). Bỏ trống trường này để giữ nguyên dữ liệu, hoặc gửi giá trị đầy đủ.',
  },
  PERSONAL_ID_FORMAT: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'A personal identification number has exactly 12 digits 0–9, sent as text. Check the paper; keep leading zeros, leave out blanks.',
    vi: 'Số định danh cá nhân gồm đúng 12 chữ số 0–9, gửi dưới dạng văn bản. Kiểm tra lại giấy tờ; giữ số 0 ở đầu, không có dấu cách.',
  },
  PERSONAL_ID_RESERVED: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'No personal identification number begins with 000. If the person has none yet, leave the field empty.',
    vi: 'Không có số định danh cá nhân nào bắt đầu bằng 000. Nếu người dân chưa có số, hãy để trống.',
  },
  OLD_ID_NUMBER_FORMAT: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'An old identity card number (CMND) has exactly 9 digits. A 12-digit number belongs into the personal identification number.',
    vi: 'Số CMND gồm đúng 9 chữ số. Số có 12 chữ số phải nhập vào ô số định danh cá nhân.',
  },
  CARD_LENGTH: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'An insurance card number has 15 characters (blanks and hyphens are left out). Compare it with the card.',
    vi: 'Mã thẻ BHYT gồm 15 ký tự (không tính dấu cách và dấu gạch). Hãy đối chiếu với thẻ.',
  },
  CARD_FORMAT: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'An insurance card number is two letters and 13 digits, e.g. DN4380123456789. Compare it with the card.',
    vi: 'Mã thẻ BHYT gồm hai chữ cái và 13 chữ số, ví dụ DN4380123456789. Hãy đối chiếu với thẻ.',
  },
  CARD_LETTER_O: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'The letter O stands where an insurance card number has digits. Type the digit 0 instead.',
    vi: 'Mã thẻ BHYT có chữ O ở vị trí của chữ số. Hãy nhập số 0 thay cho chữ O.',
  },
  CARD_CATEGORY: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'The first two letters are no known object code of an insurance card (e.g. DN, HT, TE, GD). Compare them with the card.',
    vi: 'Hai chữ cái đầu không phải mã đối tượng thẻ BHYT (ví dụ DN, HT, TE, GD). Hãy đối chiếu với thẻ.',
  },
  CARD_BENEFIT: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'The third character of an insurance card number is the benefit level, a digit from 1 to 5. Compare it with the card.',
    vi: 'Ký tự thứ ba của mã thẻ BHYT là mức hưởng, từ 1 đến 5. Hãy đối chiếu với thẻ.',
  },
  CARD_ISSUER: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'Characters 4–5 of the card number do not fit the issuer: 97 is the Ministry of Defence, 98 public security, 01–99 else Vietnam Social Security, 00 nobody. Correct the number or the issuer.',
    vi: 'Ký tự 4–5 của mã thẻ không khớp đơn vị cấp thẻ: 97 là Bộ Quốc phòng, 98 là Công an nhân dân, 01–99 còn lại là BHXH Việt Nam, 00 không có. Hãy sửa mã thẻ hoặc đơn vị cấp.',
  },
  BHXH_NUMBER_FORMAT: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'A social insurance number has 10 digits: the last ten characters of the card number.',
    vi: 'Mã số BHXH gồm 10 chữ số, là 10 ký tự cuối của mã thẻ BHYT.',
  },
  NAME_EMPTY: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'A name is needed. Write it as on the identity paper.',
    vi: 'Chưa có họ tên. Hãy ghi đúng như trên giấy tờ tùy thân.',
  },
  NAME_LENGTH: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'A name has at most 255 characters. Write it as on the identity paper.',
    vi: 'Họ tên dài tối đa 255 ký tự. Hãy ghi đúng như trên giấy tờ tùy thân.',
  },
  NAME_CHARSET: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'A name holds Latin letters, blanks, apostrophe, hyphen and full stop only, and begins with a letter. Take out digits and signs.',
    vi: 'Họ tên chỉ gồm chữ cái, dấu cách, dấu nháy đơn, dấu gạch nối, dấu chấm và bắt đầu bằng chữ cái. Hãy bỏ chữ số và ký hiệu khác.',
  },
  DATE_FORMAT: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'Write the date as yyyy-mm-dd or dd/mm/yyyy, or what is known of it: mm/yyyy, yyyy.',
    vi: 'Ghi ngày theo dạng yyyy-mm-dd hoặc dd/mm/yyyy, hoặc phần đã biết: mm/yyyy, yyyy.',
  },
  DATE_NOT_IN_CALENDAR: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'The calendar has no such day. Check day and month; if only month or year are known, send those alone.',
    vi: 'Ngày này không có trong lịch. Hãy kiểm tra ngày và tháng; nếu chỉ biết tháng hoặc năm thì chỉ gửi phần đó.',
  },
  DATE_DAY_NEEDED: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'This date must be known to the day: yyyy-mm-dd or dd/mm/yyyy.',
    vi: 'Ngày này phải đủ ngày, tháng, năm: yyyy-mm-dd hoặc dd/mm/yyyy.',
  },
  BIRTH_DATE_FUTURE: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'The birth date lies in the future. Check day, month and year.',
    vi: 'Ngày sinh ở trong tương lai. Hãy kiểm tra ngày, tháng, năm.',
  },
  BIRTH_DATE_TOO_OLD: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'The birth date lies more than 130 years back. Check the year.',
    vi: 'Ngày sinh cách đây hơn 130 năm. Hãy kiểm tra năm sinh.',
  },
  GENDER_WORD: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'Sex is 1, 2 or 3, or a word: male (nam), female (nữ), undetermined (chưa xác định).',
    vi: 'Giới tính là 1, 2 hoặc 3, hoặc chữ: nam, nữ, chưa xác định.',
  },
  ETHNICITY_CODE: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'The ethnic group is a code from 01 to 56 of the national list (01 Kinh).',
    vi: 'Dân tộc là mã từ 01 đến 56 của danh mục quốc gia (01 là Kinh).',
  },
  PHONE_FORMAT: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'A telephone number is a Vietnamese one, e.g. 0912345678 or +84912345678. Old 11-digit mobile numbers need their new prefix.',
    vi: 'Số điện thoại phải là số Việt Nam, ví dụ 0912345678 hoặc +84912345678. Số di động 11 chữ số cũ phải đổi sang đầu số mới.',
  },
  EMAIL_FORMAT: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'This is no e-mail address such as name@example.vn. Check for blanks and tone marks.',
    vi: 'Địa chỉ thư điện tử phải có dạng ten@example.vn. Hãy kiểm tra dấu cách và dấu tiếng Việt.',
  },
  FACILITY_CODE_FORMAT: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'A facility code has 5 characters and begins with a province code of before 01/07/2025, e.g. 52901.',
    vi: 'Mã cơ sở khám chữa bệnh gồm 5 ký tự, bắt đầu bằng mã tỉnh trước 01/07/2025, ví dụ 52901.',
  },
  RESULT_CODE_FORMAT: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'The code of a digitized result reads owner.KQ.agency.type, e.g. "….KQ.G18.000010", with the number of the paper behind it where known.',
    vi: 'Mã giấy tờ số hóa có dạng chủ sở hữu.KQ.cơ quan.loại, ví dụ "….KQ.G18.000010", có thể thêm số của giấy tờ ở cuối.',
  },
  ID_FORMAT: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'This is no id of the hub. Send an id exactly as an answer of the hub gave it.',
    vi: 'Đây không phải mã do hệ thống cấp. Hãy gửi đúng mã mà hệ thống đã trả về.',
  },
  UNIT_ID_FORMAT: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'This is no id of a unit. Take one from "orgUnits" (e.g. "u12").',
    vi: 'Đây không phải mã đơn vị. Hãy lấy mã từ "orgUnits" (ví dụ "u12").',
  },
} as const;
