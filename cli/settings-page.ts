import { catalogue } from '#kernel/config-catalogue.ts';

/** docs/settings.md. */
export function settingsPage(): string {
  const cell = (value: string) => value.replaceAll('|', '\\|');
  const rows = Object.entries(catalogue).map(([name, entry]) => {
    const secret =
      'secret' in entry ? `<br>Secret, also as \`${name}_FILE\` · Bí mật, cũng có thể đặt bằng tệp \`${name}_FILE\`.` : '';
    return `| \`${name}\` | ${cell(entry.default)} | ${cell(entry.what.en)}<br>${cell(entry.what.vi)}${secret} |`;
  });
  return `# Settings · Cài đặt

Printed from \`kernel/config-catalogue.ts\` by \`npm run hub -- docs\`; do not edit. All are environment variables; an empty one counts as not
given. A mistake stops the start, and every mistake is told at once. Relative folders start in the folder of the hub.

In từ \`kernel/config-catalogue.ts\` bằng \`npm run hub -- docs\`; không sửa tay. Tất cả là biến môi trường; để trống nghĩa là không đặt.
Sai một cài đặt thì hệ thống không khởi động và báo mọi lỗi cùng lúc.

| name · tên | default · mặc định | meaning · ý nghĩa |
| --- | --- | --- |
${rows.join('\n')}
`;
}
