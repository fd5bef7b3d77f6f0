import type { Settings } from '#kernel/config.ts';

/** The demo world's log-ins and clients, as they are printed at the start. Outside production only. */
export const demoPassword = 'lien-thong-demo';
const demoLogins = ['steward', 'centre1', 'clerk11', 'clerk21', 'auditor'] as const;
const demoClients = ['demo-integrator', 'hospital-a', 'reader', 'insurer'] as const;

/** What whoever typed `npm start` wants to know next. */
export function welcome(settings: Settings, address: string): string {
  const lines = [
    '',
    'Liên Thông',
    `  đồ thị · graph            ${address}/graphql${settings.production ? '' : '   (mở bằng trình duyệt · open it in a browser)'}`,
    `  mã truy cập · tokens      ${address}/oauth/token`,
    `  tình trạng · health       ${address}/health/ready   ${address}/metrics`,
    `  dữ liệu, nhật ký · data   ${settings.dataDir}`,
  ];
  if (settings.demo) {
    lines.push(
      `  đăng nhập mẫu · log-ins   ${demoLogins.join(' ')}   (mật khẩu · password: ${demoPassword})`,
      `  máy khách mẫu · clients   ${demoClients.join(' ')}   (mã bí mật · secret: <id>-secret)`,
    );
  }
  return `${lines.join('\n')}\n\n`;
}
