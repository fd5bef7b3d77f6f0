import { outsidePaths } from '#kernel/auth/sessions.ts';
import { escaped, inBoth, type PlainPage } from '#kernel/plain-page.ts';
import type { Asked, Purpose } from './log-in.ts';
import type { Enrolment } from './second-factor.ts';

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
  code: {
    vi: 'Mã không đúng, đã hết hạn hoặc đã dùng rồi. Hãy đợi mã kế tiếp rồi nhập lại.',
    en: 'The code is not right, is over or was used. Wait for the next one and try again.',
  },
} as const;

function said(fault: keyof typeof faults | null): string {
  return fault === null ? '' : `<p class="wrong" role="alert">${inBoth(faults[fault])}</p>`;
}

const purposes: Readonly<Record<Purpose, { readonly vi: string; readonly en: string }>> = {
  enter: { vi: 'Vào hệ thống', en: 'Enter' },
  password: { vi: 'Đổi mật khẩu', en: 'Change the password' },
  'second-factor': { vi: 'Bật hoặc tắt mã xác thực hai lớp', en: 'Turn the second factor on or off' },
};

/** `outside`: what another way in is called. */
export function logInPage(fault: LogInFault, login: string, chosen: Purpose = 'enter', outside: string | null = null): PlainPage {
  const first = (field: 'login' | 'password'): string => (field === (login === '' ? 'login' : 'password') ? ' autofocus' : '');
  const choices = (Object.keys(purposes) as Purpose[]).map(
    (purpose) =>
      `<label class="choice"><input type="radio" name="then" value="${purpose}"${purpose === chosen ? ' checked' : ''}> ${inBoth(purposes[purpose])}</label>`,
  );
  return {
    title: { vi: 'Đăng nhập', en: 'Log in' },
    body: `${said(fault)}<form method="post">
<label for="login">${inBoth({ vi: 'Tên đăng nhập', en: 'Log-in' })}</label>
<input id="login" name="login" value="${escaped(login)}" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="64" required${first('login')}>
<label for="password">${inBoth({ vi: 'Mật khẩu', en: 'Password' })}</label>
<input id="password" name="password" type="password" autocomplete="current-password" maxlength="200" required${first('password')}>
<button>${inBoth({ vi: 'Đăng nhập', en: 'Log in' })}</button>
<details${chosen === 'enter' ? '' : ' open'}><summary>${inBoth({ vi: 'Mật khẩu và bảo mật', en: 'Password and security' })}</summary>
${choices.join('\n')}
</details>
</form>${outside === null ? '' : otherWay(outside)}`,
  };
}

function otherWay(name: string): string {
  return `\n<p class="other"><a href="${outsidePaths.begin}">${inBoth({ vi: `Đăng nhập bằng ${name}`, en: `Log in with ${name}` })}</a></p>`;
}

/** Passwords are no way in here: the hub was told so while this page was open. */
export const closedPage: PlainPage = {
  title: { vi: 'Không đăng nhập bằng mật khẩu', en: 'No log-in by password' },
  body: `<p>${inBoth({
    vi: 'Ở đây chỉ đăng nhập bằng nhà cung cấp định danh của đơn vị.',
    en: 'Here one logs in by the identity provider of the organisation alone.',
  })}</p>
<p class="other"><a href="${outsidePaths.begin}">${inBoth({ vi: 'Đăng nhập', en: 'Log in' })}</a></p>`,
};

/** What a ticket asks next. */
export function askedPage(asked: Asked): PlainPage {
  switch (asked.step) {
    case 'code':
      return codePage(asked.ticket, asked.wrong);
    case 'password':
      return newPasswordPage(asked.ticket, asked.first, asked.fault);
    case 'enrol':
      return enrolPage(asked.ticket, asked.enrolment, asked.wrong);
    case 'drop':
      return dropPage(asked.ticket);
  }
}

const ticketField = (ticket: string): string => `<input type="hidden" name="ticket" value="${escaped(ticket)}">`;
const codeField = `<label for="code">${inBoth({ vi: 'Mã 6 số', en: '6-digit code' })}</label>
<input id="code" name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="7" required autofocus>`;

function codePage(ticket: string, wrong: boolean): PlainPage {
  return {
    title: { vi: 'Mã xác thực', en: 'Second factor' },
    body: `${said(wrong ? 'code' : null)}<p>${inBoth({
      vi: 'Mở ứng dụng xác thực trên điện thoại và nhập mã của Liên Thông.',
      en: 'Open the authenticator app and type the code of Liên Thông.',
    })}</p><form method="post">
${ticketField(ticket)}${codeField}
<button>${inBoth({ vi: 'Tiếp tục', en: 'Go on' })}</button>
</form>`,
  };
}

/** `ticket` stands for the log-in that was right; the old password is not carried along. */
function newPasswordPage(ticket: string, first: boolean, fault: PasswordFault): PlainPage {
  const why = first
    ? {
        vi: 'Mật khẩu vừa dùng chỉ để đăng nhập lần đầu. Hãy đặt mật khẩu của riêng bạn, ít nhất 12 ký tự.',
        en: 'The password just used is for the first log-in only. Choose one of your own, 12 characters or more.',
      }
    : {
        vi: 'Mật khẩu mới cần ít nhất 12 ký tự. Các phiên đăng nhập khác của bạn sẽ kết thúc.',
        en: 'The new password needs 12 characters or more. Your other sessions will end.',
      };
  return {
    title: { vi: 'Đặt mật khẩu mới', en: 'Choose a password' },
    body: `${said(fault)}<p>${inBoth(why)}</p><form method="post">
${ticketField(ticket)}
<label for="new-password">${inBoth({ vi: 'Mật khẩu mới', en: 'New password' })}</label>
<input id="new-password" name="newPassword" type="password" autocomplete="new-password" minlength="12" maxlength="200" required autofocus>
<label for="again">${inBoth({ vi: 'Nhập lại mật khẩu mới', en: 'New password again' })}</label>
<input id="again" name="again" type="password" autocomplete="new-password" minlength="12" maxlength="200" required>
<button>${inBoth({ vi: 'Lưu và đăng nhập', en: 'Save and log in' })}</button>
</form>`,
  };
}

function enrolPage(ticket: string, { secret, picture }: Enrolment, wrong: boolean): PlainPage {
  return {
    title: { vi: 'Bật mã xác thực hai lớp', en: 'Turn on the second factor' },
    body: `${said(wrong ? 'code' : null)}<p>${inBoth({
      vi: 'Quét hình này bằng ứng dụng xác thực (Google Authenticator, FreeOTP …), hoặc nhập khóa bên dưới, rồi nhập mã mà ứng dụng hiện ra.',
      en: 'Scan this with an authenticator app (Google Authenticator, FreeOTP …) or type the key below, then type the code it shows.',
    })}</p>
<div class="picture">${picture}</div>
<p class="key"><code>${escaped(secret)}</code></p><form method="post">
${ticketField(ticket)}${codeField}
<button>${inBoth({ vi: 'Bật và đăng nhập', en: 'Turn on and log in' })}</button>
</form>`,
  };
}

function dropPage(ticket: string): PlainPage {
  return {
    title: { vi: 'Tắt mã xác thực hai lớp', en: 'Turn off the second factor' },
    body: `<p>${inBoth({
      vi: 'Sau khi tắt, chỉ cần mật khẩu để đăng nhập. Chỉ tắt khi bạn đổi điện thoại, rồi bật lại ngay.',
      en: 'Then the password alone opens the hub. Turn it off only to change phones, and on again at once.',
    })}</p><form method="post">
${ticketField(ticket)}
<button name="confirm" value="yes">${inBoth({ vi: 'Tắt và đăng nhập', en: 'Turn off and log in' })}</button>
<button name="confirm" value="no">${inBoth({ vi: 'Giữ nguyên và đăng nhập', en: 'Keep it and log in' })}</button>
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
