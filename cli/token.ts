import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { publicUrlOf, type Settings } from '#kernel/config.ts';
import { UsageError, type Verb } from './verb.ts';
import { withRegister, wordAt } from './register.ts';

/** Issuer of the hub that these settings describe, with the port that it noted when it began to listen. */
function issuerOf(settings: Settings): string {
  const port = settings.port === 0 ? notedPort(settings.dataDir) : settings.port;
  if (port !== null || settings.publicUrl !== null) return publicUrlOf(settings, port ?? 0);
  throw new UsageError({
    en: 'PORT=0: the address of the hub is known only while it runs. Start it first.',
    vi: 'PORT=0: chỉ biết địa chỉ khi hệ thống đang chạy. Hãy khởi động trước.',
  });
}

function notedPort(dataDir: string): number | null {
  try {
    const noted = z.record(z.string(), z.unknown()).parse(JSON.parse(readFileSync(join(dataDir, 'addresses.json'), 'utf8')));
    const address = noted.hub ?? noted.gateway;
    return typeof address === 'string' ? Number(new URL(address).port) : null;
  } catch {
    return null; // no hub has run on this directory yet
  }
}

export const verb: Verb = {
  usage: 'LOGIN',
  help: {
    en: 'Demonstration only: prints an access token of an account, good for ten minutes, as if it had logged in.',
    vi: 'Chỉ cho bản trình diễn: in mã truy cập của một tài khoản, có hiệu lực mười phút, như khi đã đăng nhập.',
  },
  options: {},
  async run(context, args) {
    const { production, demo } = context.settings;
    if (production || !demo) {
      throw new UsageError({
        en: 'Tokens without a log-in exist only with HUB_DEMO=1 outside production.',
        vi: 'Mã truy cập không cần đăng nhập chỉ có khi HUB_DEMO=1 và không phải vận hành thật.',
      });
    }
    const login = wordAt(args, 0, 'LOGIN');
    return await withRegister(context, async (register) => {
      const token = await register.mintToken(login, issuerOf(context.settings));
      context.say(token);
      return { exit: 0, json: { login, token } };
    });
  },
};
