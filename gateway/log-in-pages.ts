import { outsidePaths } from '#kernel/auth/sessions.ts';
import { inBoth, type PlainPage } from '#kernel/plain-page.ts';

/* What the edge tells of a log-in that came to nothing. It is told, not begun again by itself, since it might fail for ever. */

/** Ways in that stand open. */
export interface WaysIn {
  readonly byPassword: boolean;
  /** What the outside provider is called; `null`: there is none. */
  readonly outside: string | null;
}

function ways({ byPassword, outside }: WaysIn): string {
  const links = [
    ...(byPassword ? [`<a href="/auth/login">${inBoth({ vi: 'Đăng nhập bằng mật khẩu', en: 'Log in by password' })}</a>`] : []),
    ...(outside === null
      ? []
      : [`<a href="${outsidePaths.begin}">${inBoth({ vi: `Đăng nhập bằng ${outside}`, en: `Log in with ${outside}` })}</a>`]),
    `<a href="/">${inBoth({ vi: 'Trang đầu', en: 'First page' })}</a>`,
  ];
  return links.map((link) => `<p>${link}</p>`).join('\n');
}

export function expiredPage(open: WaysIn): PlainPage {
  return {
    title: { vi: 'Chưa đăng nhập được', en: 'Not logged in' },
    body: `<p>${inBoth({
      vi: 'Lần đăng nhập này đã hết hạn hoặc đã dùng rồi.',
      en: 'This log-in has expired or was used already.',
    })}</p>\n${ways(open)}`,
  };
}

export function awayPage(name: string, open: WaysIn): PlainPage {
  return {
    title: { vi: `${name} không trả lời`, en: `${name} does not answer` },
    body: `<p>${inBoth({
      vi: `Chưa liên lạc được với ${name} nên chưa đăng nhập được bằng cách này. Hãy thử lại sau ít phút${open.byPassword ? ', hoặc dùng mật khẩu' : ''}.`,
      en: `${name} cannot be reached, so this way in is closed for now. Try again in a few minutes${open.byPassword ? ', or use your password' : ''}.`,
    })}</p>\n${ways(open)}`,
  };
}

/** He has shown who he is, but nobody of that name works here. */
export function unknownPage(name: string, login: string, open: WaysIn): PlainPage {
  return {
    title: { vi: 'Chưa có tài khoản', en: 'No account here' },
    body: `<p>${inBoth({
      vi: `${name} xác nhận anh chị là “${login}”, nhưng Liên Thông không có tài khoản đang hoạt động với tên đó. Hãy nhờ người quản trị của tỉnh tạo hoặc mở lại tài khoản.`,
      en: `${name} says that you are “${login}”, but no account of that name is active here. Ask the administrator of the province to add or reopen it.`,
    })}</p>\n${ways(open)}`,
  };
}

export function refusedPage(name: string, open: WaysIn): PlainPage {
  return {
    title: { vi: 'Chưa đăng nhập được', en: 'Not logged in' },
    body: `<p>${inBoth({
      vi: `Lần đăng nhập bằng ${name} đã bị hủy, đã hết hạn, hoặc không cho biết tên đăng nhập.`,
      en: `The log-in with ${name} was given up, has expired, or names no log-in.`,
    })}</p>\n${ways(open)}`,
  };
}
