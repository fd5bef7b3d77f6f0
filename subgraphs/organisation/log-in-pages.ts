import { escaped, inBoth, type PlainPage } from '#kernel/plain-page.ts';

/** Why a form comes back. Unknown, wrong, disabled are one answer. */
type LogInFault = 'wrong' | 'locked' | null;
export type PasswordFault = 'length' | 'differ' | 'same' | null;

const faults = {
  wrong: {
    vi: 'Tên đăng nhập hoặc mật khẩu không đúng. Hãy kiểm tra rồi nhập lại.',
    en: 'The log-in or the password is not right. Check both and try again.',
  },
  locked: {
    vi: 'Đã thử sai quá nhiều lần. Hãy đợi một phút rồi thử lại.',
    en: 'Too many failed attempts. Wait a minute, then try again.',
  },
  length: { vi: 'Mật khẩu mới phải dài 12–200 ký tự.', en: 'The new password needs 12–200 characters.' },
  differ: { vi: 'Hai lần nhập mật khẩu mới không giống nhau.', en: 'The new password was not typed the same twice.' },
  same: {
    vi: 'Mật khẩu mới phải khác mật khẩu cũ và khác tên đăng nhập.',
    en: 'The new password must differ from the old one and from the log-in.',
  },
} as const;

function said(fault: keyof typeof faults | null): string {
  return fault === null ? '' : `<p class="wrong" role="alert">${inBoth(faults[fault])}</p>`;
}

export function logInPage(fault: LogInFault, login: string): PlainPage {
  const first = (field: 'login' | 'password'): string => (field === (login === '' ? 'login' : 'password') ? ' autofocus' : '');
  return {
    title: { vi: 'Đăng nhập', en: 'Log in' },
    body: `${said(fault)}<form method="post">
<label for="login">${inBoth({ vi: 'Tên đăng nhập', en: 'Log-in' })}</label>
<input id="login" name="login" value="${escaped(login)}" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="64" required${first('login')}>
<label for="password">${inBoth({ vi: 'Mật khẩu', en: 'Password' })}</label>
<input id="password" name="password" type="password" autocomplete="current-password" maxlength="200" required${first('password')}>
<button>${inBoth({ vi: 'Đăng nhập', en: 'Log in' })}</button>
</form>`,
  };
}

/** `ticket` stands for the log-in that was right; the old password is not carried along. */
export function newPasswordPage(fault: PasswordFault, ticket: string): PlainPage {
  return {
    title: { vi: 'Đặt mật khẩu mới', en: 'Choose a password' },
    body: `${said(fault)}<p>${inBoth({
      vi: 'Mật khẩu vừa dùng chỉ để đăng nhập lần đầu. Hãy đặt mật khẩu của riêng bạn, ít nhất 12 ký tự.',
      en: 'The password just used is for the first log-in only. Choose one of your own, 12 characters or more.',
    })}</p><form method="post">
<input type="hidden" name="ticket" value="${escaped(ticket)}">
<label for="new-password">${inBoth({ vi: 'Mật khẩu mới', en: 'New password' })}</label>
<input id="new-password" name="newPassword" type="password" autocomplete="new-password" minlength="12" maxlength="200" required autofocus>
<label for="again">${inBoth({ vi: 'Nhập lại mật khẩu mới', en: 'New password again' })}</label>
<input id="again" name="again" type="password" autocomplete="new-password" minlength="12" maxlength="200" required>
<button>${inBoth({ vi: 'Lưu và đăng nhập', en: 'Save and log in' })}</button>
</form>`,
  };
}

/** The log-in under way is gone: it took more than ten minutes, was finished elsewhere, or the browser keeps no cookies. */
export const endedPage: PlainPage = {
  title: { vi: 'Phiên đăng nhập đã hết hạn', en: 'This log-in has ended' },
  body: `<p>${inBoth({
    vi: 'Hãy bắt đầu lại. Trình duyệt phải cho phép cookie của trang này.',
    en: 'Please begin again. The browser must allow cookies of this site.',
  })}</p>
<p><a href="/auth/login">${inBoth({ vi: 'Đăng nhập lại', en: 'Log in again' })}</a></p>`,
};
