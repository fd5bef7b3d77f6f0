import type { Verb } from './verb.ts';
import { table, textOf, told, unknownAction, withRegister, wordAt } from './register.ts';

const passwordIs = { en: 'Password, to be changed at the first log-in', vi: 'Mật khẩu, phải đổi khi đăng nhập lần đầu' };

export const verb: Verb = {
  usage:
    'add LOGIN --name NAME --unit CODE --role ROLE | password LOGIN | disable LOGIN | enable LOGIN | no-second-factor LOGIN | sessions LOGIN | logout LOGIN | list',
  help: {
    en: 'Accounts of people: adds one, gives it a new password, disables or enables it, turns off the second factor of who has lost the phone, shows its sessions, logs it out everywhere, lists them. A disabled account is out within a minute.',
    vi: 'Tài khoản người dùng: thêm, cấp mật khẩu mới, khóa, mở lại, tắt mã xác thực hai lớp khi mất điện thoại, xem các phiên, đăng xuất mọi nơi, liệt kê. Tài khoản bị khóa mất quyền trong vòng một phút.',
  },
  options: {
    name: { type: 'string', value: 'NAME', help: { en: 'Full name.', vi: 'Họ và tên.' } },
    unit: {
      type: 'string',
      value: 'CODE',
      help: { en: 'Unit: works on it and on all below.', vi: 'Đơn vị: làm việc với đơn vị này và cấp dưới.' },
    },
    role: {
      type: 'string',
      value: 'ROLE',
      help: { en: 'steward, centre, clerk or auditor.', vi: 'steward, centre, clerk hoặc auditor.' },
    },
    email: { type: 'string', value: 'ADDRESS', help: { en: 'E-mail address.', vi: 'Địa chỉ thư điện tử.' } },
  },
  async run(context, args) {
    const [action] = args.words;
    switch (action) {
      case 'add': {
        const login = wordAt(args, 1, 'LOGIN');
        const account = {
          login,
          name: textOf(args, 'name'),
          unitCode: textOf(args, 'unit'),
          role: textOf(args, 'role'),
          email: args.text('email') ?? null,
          password: null,
        };
        return await withRegister(context, async (register) => {
          const { id, password } = await register.addAccount(account);
          context.say(told(passwordIs, password));
          return { exit: 0, json: { id, login, password } };
        });
      }
      case 'password': {
        const login = wordAt(args, 1, 'LOGIN');
        return await withRegister(context, async (register) => {
          const { password } = await register.setPassword(login, null);
          context.say(told(passwordIs, password));
          return { exit: 0, json: { login, password } };
        });
      }
      case 'disable':
      case 'enable': {
        const login = wordAt(args, 1, 'LOGIN');
        const disabled = action === 'disable';
        return await withRegister(context, async (register) => {
          await register.setDisabled(login, disabled);
          context.say(
            disabled
              ? {
                  en: `${login} is disabled; its tokens end within a minute.`,
                  vi: `Đã khóa ${login}; mã truy cập hết hiệu lực trong vòng một phút.`,
                }
              : { en: `${login} is enabled.`, vi: `Đã mở lại ${login}.` },
          );
          return { exit: 0, json: { login, disabled } };
        });
      }
      case 'no-second-factor': {
        const login = wordAt(args, 1, 'LOGIN');
        return await withRegister(context, async (register) => {
          await register.dropSecondFactor(login);
          context.say({
            en: `The password alone opens ${login} now; the next log-in should set up a new second factor.`,
            vi: `${login} nay chỉ cần mật khẩu; lần đăng nhập tới nên bật lại mã xác thực hai lớp.`,
          });
          return { exit: 0, json: { login } };
        });
      }
      case 'sessions': {
        const login = wordAt(args, 1, 'LOGIN');
        return await withRegister(context, async (register) => {
          const sessions = await register.listSessions(login);
          context.say(table(sessions));
          return { exit: 0, json: { login, sessions } };
        });
      }
      case 'logout': {
        const login = wordAt(args, 1, 'LOGIN');
        return await withRegister(context, async (register) => {
          const ended = await register.logOut(login);
          context.say({
            en: `${login} is logged out everywhere (${String(ended)} sessions); its tokens end within a minute.`,
            vi: `Đã đăng xuất ${login} ở mọi nơi (${String(ended)} phiên); mã truy cập hết hiệu lực trong vòng một phút.`,
          });
          return { exit: 0, json: { login, ended } };
        });
      }
      case 'list':
        return await withRegister(context, async (register) => {
          const users = await register.listAccounts();
          context.say(table(users));
          return { exit: 0, json: { users } };
        });
      default:
        throw unknownAction(['add', 'password', 'disable', 'enable', 'no-second-factor', 'sessions', 'logout', 'list']);
    }
  },
};
