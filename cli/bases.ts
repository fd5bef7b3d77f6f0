import type { Verb } from './verb.ts';
import { instantOf, table, textOf, unknownAction, withRegister, wordAt } from './register.ts';

export const verb: Verb = {
  usage:
    'add CLIENT --ground TEXT [--citizen ID] [--unit CODE] [--permissions LIST] [--from T] [--until T] | withdraw ID | list [CLIENT]',
  help: {
    en: 'Legal bases on which a client may read what its role alone may not (header x-hub-basis): registers one, withdraws it, lists them.',
    vi: 'Căn cứ pháp lý để một hệ thống đọc dữ liệu mà vai trò của nó không được đọc (tiêu đề x-hub-basis): đăng ký, rút lại, liệt kê.',
  },
  options: {
    ground: {
      type: 'string',
      value: 'TEXT',
      help: { en: 'Which request, consent or article of law.', vi: 'Đơn đề nghị, sự đồng ý hoặc điều luật nào.' },
    },
    citizen: {
      type: 'string',
      value: 'ID',
      help: {
        en: 'Only this person (id of the hub, never a number).',
        vi: 'Chỉ người này (mã của hệ thống, không phải số định danh).',
      },
    },
    unit: {
      type: 'string',
      value: 'CODE',
      help: {
        en: 'People of this unit and below. Default: of the client’s own.',
        vi: 'Người thuộc đơn vị này và cấp dưới. Mặc định: đơn vị của hệ thống đó.',
      },
    },
    permissions: {
      type: 'string',
      value: 'LIST',
      help: {
        en: 'citizen:read,result:read,slip:read. Default: all that the role allows.',
        vi: 'citizen:read,result:read,slip:read. Mặc định: tất cả quyền mà vai trò cho phép.',
      },
    },
    from: { type: 'string', value: 'TIME', help: { en: 'Begins. Default: now.', vi: 'Bắt đầu. Mặc định: ngay bây giờ.' } },
    until: {
      type: 'string',
      value: 'TIME',
      help: { en: 'Ends. Default: when withdrawn.', vi: 'Kết thúc. Mặc định: khi rút lại.' },
    },
  },
  async run(context, args) {
    const [action] = args.words;
    switch (action) {
      case 'add': {
        const clientId = wordAt(args, 1, 'CLIENT');
        const basis = {
          clientId,
          ground: textOf(args, 'ground'),
          permissions: (args.text('permissions') ?? '')
            .split(',')
            .map((one) => one.trim())
            .filter((one) => one !== ''),
          citizenId: args.text('citizen') ?? null,
          unitCode: args.text('unit') ?? null,
          from: instantOf(args, 'from'),
          until: instantOf(args, 'until'),
        };
        return await withRegister(context, async (register) => {
          const { id, permissions } = await register.addBasis(basis);
          context.say({
            en: `Registered as ${id}. The client sends it as "x-hub-basis: ${id}".`,
            vi: `Đã đăng ký với mã ${id}. Hệ thống gửi kèm tiêu đề "x-hub-basis: ${id}".`,
          });
          return { exit: 0, json: { id, client: clientId, permissions } };
        });
      }
      case 'withdraw': {
        const id = wordAt(args, 1, 'ID');
        return await withRegister(context, async (register) => {
          await register.withdrawBasis(id);
          context.say({ en: `${id} is withdrawn.`, vi: `Đã rút ${id}.` });
          return { exit: 0, json: { id } };
        });
      }
      case 'list':
        return await withRegister(context, async (register) => {
          const bases = await register.listBases(args.words[1] ?? null);
          context.say(table(bases));
          return { exit: 0, json: { bases } };
        });
      default:
        throw unknownAction(['add', 'withdraw', 'list']);
    }
  },
};
