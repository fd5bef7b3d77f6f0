import { UsageError, type Verb } from './verb.ts';
import { table, textOf, told, unknownAction, withRegister, wordAt } from './register.ts';

const secretIs = { en: 'Secret', vi: 'Bí mật' };

export const verb: Verb = {
  usage: 'add ID --name NAME --unit CODE --role ROLE | rotate ID | revoke ID | list | rotate-signing-key',
  help: {
    en: 'Machines that may ask: adds one, gives it a new secret, revokes it, lists them. A revocation works within a minute. rotate-signing-key publishes the next key of access tokens; it signs 15 minutes later, and the old one stays until its tokens have ended.',
    vi: 'Các hệ thống được phép truy cập: thêm, cấp bí mật mới, thu hồi, liệt kê. Thu hồi có hiệu lực trong vòng một phút. rotate-signing-key công bố khóa ký mã truy cập kế tiếp; sau 15 phút khóa mới bắt đầu ký, khóa cũ còn giữ đến khi các mã của nó hết hạn.',
  },
  options: {
    name: { type: 'string', value: 'NAME', help: { en: 'What people call it.', vi: 'Tên gọi.' } },
    unit: {
      type: 'string',
      value: 'CODE',
      help: { en: 'Its unit: it reads what lies at and below.', vi: 'Đơn vị: đọc dữ liệu của đơn vị này và cấp dưới.' },
    },
    role: {
      type: 'string',
      value: 'ROLE',
      help: { en: 'integrator, hospital, reader or insurer.', vi: 'integrator, hospital, reader hoặc insurer.' },
    },
    purpose: {
      type: 'string',
      value: 'CODE',
      help: {
        en: 'Purpose when it states none. Default: that of the role.',
        vi: 'Mục đích khi không nêu. Mặc định theo vai trò.',
      },
    },
    points: {
      type: 'string',
      value: 'N',
      help: { en: 'Points per minute. Default 60000.', vi: 'Số điểm mỗi phút. Mặc định 60000.' },
    },
    'end-old': {
      type: 'boolean',
      help: {
        en: 'rotate: the old secret ends at once instead of at the next rotation.',
        vi: 'rotate: bí mật cũ hết hiệu lực ngay thay vì đến lần đổi kế tiếp.',
      },
    },
  },
  async run(context, args) {
    const [action] = args.words;
    switch (action) {
      case 'add': {
        const id = wordAt(args, 1, 'ID');
        const points = args.text('points');
        const client = {
          id,
          name: textOf(args, 'name'),
          unitCode: textOf(args, 'unit'),
          role: textOf(args, 'role'),
          purpose: args.text('purpose') ?? null,
          pointsPerMinute: points === undefined ? null : Number(points),
        };
        return await withRegister(context, async (register) => {
          const { secret } = await register.addClient(client);
          context.say(told(secretIs, secret));
          return { exit: 0, json: { id, secret } };
        });
      }
      case 'rotate': {
        const id = wordAt(args, 1, 'ID');
        return await withRegister(context, async (register) => {
          const { secret } = await register.rotateClient(id, args.flag('end-old'));
          context.say(told(secretIs, secret));
          return { exit: 0, json: { id, secret } };
        });
      }
      case 'revoke': {
        const id = wordAt(args, 1, 'ID');
        return await withRegister(context, async (register) => {
          await register.revokeClient(id);
          context.say({
            en: `${id} is revoked; its tokens end within a minute.`,
            vi: `Đã thu hồi ${id}; mã truy cập của nó hết hiệu lực trong vòng một phút.`,
          });
          return { exit: 0, json: { id } };
        });
      }
      case 'list':
        return await withRegister(context, async (register) => {
          const clients = await register.listClients();
          context.say(table(clients));
          return { exit: 0, json: { clients } };
        });
      case 'rotate-signing-key':
        return await withRegister(context, async (register) => {
          const next = await register.rotateSigningKey();
          if (!next.fresh) {
            throw new UsageError({
              en: `A key is waiting already; it signs in ${String(next.inSeconds)} s.`,
              vi: `Đã có một khóa đang chờ; khóa đó bắt đầu ký sau ${String(next.inSeconds)} giây.`,
            });
          }
          context.say({
            en: `Key ${next.kid} is published and signs in ${String(next.inSeconds)} s.`,
            vi: `Khóa ${next.kid} đã được công bố và bắt đầu ký sau ${String(next.inSeconds)} giây.`,
          });
          return { exit: 0, json: { kid: next.kid, inSeconds: next.inSeconds } };
        });
      default:
        throw unknownAction(['add', 'rotate', 'revoke', 'list', 'rotate-signing-key']);
    }
  },
};
