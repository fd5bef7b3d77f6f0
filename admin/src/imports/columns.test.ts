import { expect, test } from '@jest/globals';
import { columnsOf, firstLineOf, importKinds, kindOf } from './columns.ts';

test('the headings of each kind tell the kind, in both writings', () => {
  for (const kind of importKinds) expect([kind, kindOf(columnsOf[kind].join(';'))]).toEqual([kind, kind]);
  expect(kindOf('Họ và tên,Ngày sinh,Giới tính,Số định danh')).toBe('CITIZENS');
  expect(kindOf('Số thẻ;Họ tên;Từ ngày;Đến ngày;Nơi đăng ký KCB')).toBe('CARDS');
  expect(kindOf('Mã giấy tờ,Tên,Cơ quan cấp')).toBe('RESULTS');
  expect(kindOf('a,b,c')).toBeNull();
});

test('only the first line is read', async () => {
  expect(await firstLineOf(new Blob(['\uFEFFfull_name,gender\r\nNguyễn Văn An,1\r\n']))).toContain('full_name,gender');
});
