/**
 * Object codes of the insurance card (mã đối tượng, characters 1–2) with the benefit level they usually have (QĐ 1351/QĐ-BHXH
 * 2015). The 43 codes are those of the social insurance's own form for cards on VNeID (2025). The list is not closed: later
 * decrees made further groups, so an unknown code that the portal confirmed is accepted.
 */
export const cardObjectCodes: Readonly<
  Record<string, { readonly vi: string; readonly en: string; readonly usualLevel: number }>
> = {
  DN: { vi: 'người lao động doanh nghiệp', en: 'Workers of enterprises', usualLevel: 4 },
  HX: { vi: 'hợp tác xã', en: 'Workers of cooperatives', usualLevel: 4 },
  CH: {
    vi: 'cơ quan nhà nước, tổ chức khác',
    en: 'Workers of state bodies, armed forces units (civil contract), parties, associations',
    usualLevel: 4,
  },
  NN: {
    vi: 'tổ chức nước ngoài, quốc tế tại VN',
    en: 'Workers of foreign or international organisations in Vietnam',
    usualLevel: 4,
  },
  TK: { vi: 'tổ chức khác có sử dụng lao động', en: 'Workers of other lawful employers', usualLevel: 4 },
  HC: { vi: 'cán bộ, công chức, viên chức', en: 'Civil servants and public employees', usualLevel: 4 },
  XK: { vi: 'người hoạt động không chuyên trách cấp xã', en: 'Part-time staff of communes', usualLevel: 4 },
  HT: { vi: 'hưu trí, mất sức lao động', en: 'Pensioners and holders of loss-of-capacity allowance (BHXH)', usualLevel: 3 },
  TB: {
    vi: 'trợ cấp tai nạn lao động, bệnh nghề nghiệp',
    en: 'Holders of occupational accident or disease allowance',
    usualLevel: 4,
  },
  NO: { vi: 'nghỉ ốm dài ngày hưởng BHXH', en: 'On long-term sick leave paid by BHXH', usualLevel: 4 },
  CT: { vi: 'từ đủ 80 tuổi hưởng trợ cấp tuất', en: 'Aged 80 or more with survivors allowance', usualLevel: 4 },
  XB: { vi: 'cán bộ xã nghỉ việc hưởng trợ cấp BHXH', en: 'Retired commune cadres paid by BHXH', usualLevel: 4 },
  TN: { vi: 'hưởng trợ cấp thất nghiệp', en: 'Unemployment benefit', usualLevel: 4 },
  CS: { vi: 'công nhân cao su', en: 'Former rubber workers with monthly allowance', usualLevel: 4 },
  QN: { vi: 'quân nhân', en: 'Military personnel', usualLevel: 5 },
  CA: { vi: 'công an nhân dân', en: 'Police officers', usualLevel: 5 },
  CY: { vi: 'cơ yếu', en: 'Cipher service personnel', usualLevel: 5 },
  XN: { vi: 'cán bộ xã nghỉ việc hưởng trợ cấp ngân sách', en: 'Retired commune cadres paid by the state budget', usualLevel: 4 },
  MS: {
    vi: 'thôi hưởng trợ cấp mất sức, hưởng ngân sách',
    en: 'Former loss-of-capacity holders paid by the state budget',
    usualLevel: 4,
  },
  CC: {
    vi: 'người có công nhóm 1',
    en: 'Merit persons, first group (revolution veterans, Heroic Mothers, war invalids 81%+)',
    usualLevel: 1,
  },
  CK: { vi: 'người có công nhóm 2', en: 'Other merit persons', usualLevel: 2 },
  CB: { vi: 'cựu chiến binh', en: 'War veterans', usualLevel: 2 },
  KC: { vi: 'trực tiếp tham gia kháng chiến', en: 'Took part in the resistance wars', usualLevel: 2 },
  HD: { vi: 'đại biểu Quốc hội, HĐND', en: 'Sitting deputies', usualLevel: 4 },
  TE: { vi: 'trẻ em dưới 6 tuổi', en: 'Children under 6', usualLevel: 1 },
  BT: { vi: 'bảo trợ xã hội hằng tháng', en: 'Monthly social protection', usualLevel: 2 },
  HN: { vi: 'hộ nghèo', en: 'Poor households', usualLevel: 2 },
  DT: { vi: 'dân tộc thiểu số vùng khó khăn', en: 'Ethnic minorities in difficult areas', usualLevel: 2 },
  DK: { vi: 'vùng đặc biệt khó khăn', en: 'Residents of especially difficult areas', usualLevel: 2 },
  XD: { vi: 'xã đảo, huyện đảo', en: 'Residents of island communes', usualLevel: 2 },
  TS: { vi: 'thân nhân liệt sĩ', en: 'Relatives of martyrs', usualLevel: 2 },
  TC: { vi: 'thân nhân người có công', en: 'Other relatives of merit persons', usualLevel: 3 },
  TQ: { vi: 'thân nhân quân nhân', en: 'Relatives of QN', usualLevel: 4 },
  TA: { vi: 'thân nhân công an', en: 'Relatives of CA', usualLevel: 4 },
  TY: { vi: 'thân nhân cơ yếu', en: 'Relatives of CY', usualLevel: 4 },
  HG: { vi: 'người hiến bộ phận cơ thể', en: 'Organ donors', usualLevel: 4 },
  LS: { vi: 'học sinh nước ngoài học bổng VN', en: 'Foreign students on Vietnamese scholarships', usualLevel: 4 },
  PV: { vi: 'người phục vụ người có công', en: 'Carers of merit persons living at home', usualLevel: 4 },
  CN: { vi: 'hộ cận nghèo', en: 'Near-poor households', usualLevel: 3 },
  HS: { vi: 'học sinh', en: 'Pupils', usualLevel: 4 },
  SV: { vi: 'sinh viên', en: 'Students', usualLevel: 4 },
  GB: {
    vi: 'hộ nông lâm ngư diêm nghiệp mức sống trung bình',
    en: 'Average-income farming, forestry, fishing, salt households',
    usualLevel: 4,
  },
  GD: { vi: 'hộ gia đình', en: 'Household members', usualLevel: 4 },
};
