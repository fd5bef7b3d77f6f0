/** Reasons of lists that go out as files. */
export const exportReasons = {
  EXPORT_UNKNOWN: {
    code: 'NOT_FOUND',
    since: '0.1',
    en: 'There is no such export among those of your units. Take an id from "exports".',
    vi: 'Không có lượt xuất này trong các đơn vị của bạn. Hãy lấy mã từ "exports".',
  },
  EXPORT_FILTER: {
    code: 'BAD_INPUT',
    since: '0.1',
    en: 'This filter belongs to another kind of list; "field" names it. Give the one of the kind you export, or none.',
    vi: 'Bộ lọc này thuộc loại danh sách khác; "field" cho biết tên. Hãy dùng bộ lọc của loại đang xuất, hoặc không dùng.',
  },
  EXPORTS_UNDER_WAY: {
    code: 'CONFLICT',
    since: '0.1',
    en: 'Three of your exports have not ended yet. Wait for one of them, or cancel one with "cancelRun".',
    vi: 'Bạn đang có ba lượt xuất chưa kết thúc. Hãy đợi một lượt xong, hoặc hủy một lượt bằng "cancelRun".',
  },
  EXPORT_INCOMPLETE: {
    code: 'CONFLICT',
    since: '0.1',
    en: 'Parts of the file are missing: a page failed, or the export rested for more than a day. Begin it anew with "startExport".',
    vi: 'Thiếu một phần của tệp: có trang bị lỗi, hoặc lượt xuất đã tạm dừng quá một ngày. Hãy xuất lại bằng "startExport".',
  },
} as const;
