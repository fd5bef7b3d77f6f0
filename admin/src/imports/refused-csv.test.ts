import { expect, test } from '@jest/globals';
import { refusedCsv } from './refused-csv.ts';

test('refused rows come back as they were sent, with what to mend; line breaks in a cell do not shift them', () => {
  const sent = '\uFEFFfull_name;phone\r\n"Nguyễn\nVăn An";1\r\nTrần Thị Bình;2\r\nLê "x" Chi;3\r\n';
  const text = refusedCsv(
    sent,
    ';',
    [
      { line: 4, message: 'Số "2" sai.' },
      { line: 4, message: 'Tên ngắn.' },
    ],
    'Cần sửa gì',
  );
  expect(text).toBe('\uFEFFfull_name;phone;"Cần sửa gì"\r\nTrần Thị Bình;2;"Số ""2"" sai. Tên ngắn."\r\n');
});
