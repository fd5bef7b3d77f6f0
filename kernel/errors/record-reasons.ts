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
} as const;
