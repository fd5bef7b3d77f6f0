import { z } from 'zod';
import type { Setting } from './config-catalogue.ts';
import { httpUrl, optional, text } from './config-readers.ts';

/* Settings of who lets people and machines in; part of the catalogue of all settings. */

const setting = <T>(given: Setting<T>): Setting<T> => given;
const printable = text.regex(/^[\x21-\x7e]{1,200}$/);

export const logInCatalogue = {
  HUB_LOGIN_ISSUER: setting({
    read: optional(httpUrl),
    what: {
      en: 'OpenID provider outside the hub by which people may log in (code and PKCE); exactly as it stands in `iss`. Register `HUB_PUBLIC_URL/auth/outside/callback` there.',
      vi: 'Nhà cung cấp OpenID bên ngoài mà người dùng có thể dùng để đăng nhập (code và PKCE); ghi đúng như trong `iss`. Đăng ký `HUB_PUBLIC_URL/auth/outside/callback` tại đó.',
    },
    wanted: { en: 'an http or https address', vi: 'một địa chỉ http hoặc https' },
    default: 'none',
  }),
  HUB_LOGIN_CLIENT: setting({
    read: optional(printable),
    what: { en: 'Client id of the hub at that provider.', vi: 'Mã client của hệ thống tại nhà cung cấp đó.' },
    wanted: { en: 'printable characters without blanks', vi: 'các ký tự in được, không có dấu cách' },
    default: 'none; needed with `HUB_LOGIN_ISSUER`',
  }),
  HUB_LOGIN_SECRET: setting({
    read: optional(printable),
    what: {
      en: 'Secret of that client (`client_secret_basic`). Unset: a client without a secret, with PKCE alone.',
      vi: 'Khóa bí mật của client đó (`client_secret_basic`). Không đặt: client không có khóa, chỉ dùng PKCE.',
    },
    wanted: { en: 'printable characters without blanks', vi: 'các ký tự in được, không có dấu cách' },
    default: 'none',
    secret: true,
  }),
  HUB_LOGIN_CLAIM: setting({
    read: text.regex(/^[A-Za-z][\w:./-]{0,99}$/).default('preferred_username'),
    what: {
      en: 'Claim of that provider that names the log-in of an account here. `email` counts only when it is verified. Take one that nobody can choose or change for himself.',
      vi: 'Claim của nhà cung cấp đó chứa tên đăng nhập của tài khoản tại đây. `email` chỉ được tính khi đã xác minh. Chọn claim mà không ai tự đặt hoặc tự đổi được.',
    },
    wanted: { en: 'the name of a claim', vi: 'tên của một claim' },
    default: 'preferred_username',
  }),
  HUB_LOGIN_NAME: setting({
    read: optional(text.max(60)),
    what: {
      en: 'What the button on the log-in page calls that provider.',
      vi: 'Tên của nhà cung cấp đó trên nút ở trang đăng nhập.',
    },
    wanted: { en: 'at most 60 characters', vi: 'tối đa 60 ký tự' },
    default: 'its host name',
  }),
  HUB_OWN_ISSUER: setting({
    read: text.pipe(z.enum(['all', 'machines', 'none'])).default('all'),
    what: {
      en: "What the hub's own provider still does. `all`: log-ins by password and tokens for clients. `machines`: no password log-in, people come by `HUB_LOGIN_ISSUER` alone. `none`: no tokens for clients either, they come by `HUB_TRUSTED_ISSUERS` alone.",
      vi: 'Nhà cung cấp của chính hệ thống còn làm gì. `all`: đăng nhập bằng mật khẩu và cấp mã cho hệ thống kết nối. `machines`: không đăng nhập bằng mật khẩu, người dùng chỉ vào qua `HUB_LOGIN_ISSUER`. `none`: cũng không cấp mã cho hệ thống kết nối, chúng chỉ vào qua `HUB_TRUSTED_ISSUERS`.',
    },
    wanted: { en: 'all, machines or none', vi: 'all, machines hoặc none' },
    default: 'all',
  }),
} as const;
