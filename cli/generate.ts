import { mostCitizens } from '#kernel/synthetic/facts.ts';
import { generateProvince, seedDemoWorld, SeedTaken, type Generated } from '../subgraphs/seed.ts';
import { UsageError, type Verb, type VerbArguments } from './verb.ts';

/** A whole number within bounds, or the refusal that names the option. */
function whole(args: VerbArguments, option: string, from: number, to: number, otherwise: number | null): number {
  const text = args.text(option);
  if (text === undefined && otherwise !== null) return otherwise;
  const number = /^[0-9]{1,15}$/.test(text ?? '') ? Number(text) : NaN;
  if (number >= from && number <= to) return number;
  throw new UsageError({
    en: `--${option} is a whole number from ${from} to ${to}, e.g. --${option} ${Math.min(to, Math.max(from, 1000))}`,
    vi: `--${option} là số nguyên từ ${from} đến ${to}, ví dụ --${option} ${Math.min(to, Math.max(from, 1000))}`,
  });
}

function share(args: VerbArguments): number {
  const text = args.text('dirty') ?? '0.02';
  const number = /^(?:0|1|0?\.[0-9]{1,6})$/.test(text) ? Number(text) : NaN;
  if (number >= 0 && number <= 1) return number;
  throw new UsageError({
    en: '--dirty is a share from 0 to 1, e.g. --dirty 0.02',
    vi: '--dirty là tỷ lệ từ 0 đến 1, ví dụ --dirty 0.02',
  });
}

export const verb: Verb = {
  usage: '--citizens N [--seed S] [--dirty 0.02]',
  help: {
    en: 'Adds a synthetic province: N invented citizens with cards, results and slips over many stations; the same for the same seed.',
    vi: 'Thêm một tỉnh giả lập: N công dân hư cấu với thẻ, kết quả và giấy hẹn, giấy chuyển tuyến; cùng hạt giống cho cùng dữ liệu.',
  },
  options: {
    citizens: { type: 'string', value: 'N', help: { en: 'How many citizens.', vi: 'Số công dân.' } },
    seed: {
      type: 'string',
      value: 'S',
      help: { en: 'Seed; another seed, other people. Default 1.', vi: 'Hạt giống; khác hạt giống, khác người. Mặc định 1.' },
    },
    dirty: {
      type: 'string',
      value: 'SHARE',
      help: {
        en: 'Share of citizens with a planted defect. Default 0.02.',
        vi: 'Tỷ lệ công dân có lỗi được gài sẵn. Mặc định 0.02.',
      },
    },
  },
  async run(context, args) {
    if (context.settings.production) {
      throw new UsageError({
        en: 'Invented people are not put among real ones: generate refuses to run with NODE_ENV=production.',
        vi: 'Không trộn người hư cấu với người thật: lệnh generate không chạy khi NODE_ENV=production.',
      });
    }
    const citizens = whole(args, 'citizens', 1, mostCitizens, null);
    const seed = whole(args, 'seed', 0, 2 ** 31 - 1, 1);
    const dirty = share(args);
    const { ownerUrl, dataDir, identifierKey } = await context.database();
    const { demo, demoSeed } = context.settings;
    // A hub that never ran gets its log-ins and clients here: the start would not load them beside the generated units.
    if (demo) await seedDemoWorld({ ownerUrl, dataDir, identifierKey, seed: demoSeed, signal: context.signal });
    const progress = context.progress({ en: 'citizens', vi: 'công dân' });
    const outcome = await generated({
      ownerUrl,
      dataDir,
      identifierKey,
      seed,
      citizens,
      dirty,
      signal: context.signal,
      progress: (done, total) => progress.at(done, total),
    });
    progress.end();
    const { added, total, units, stopped } = outcome;
    if (stopped) {
      context.say({
        en: `Stopped after ${added} new citizens of ${total}. The same command goes on from here.`,
        vi: `Đã dừng sau ${added} công dân mới trên tổng số ${total}. Chạy lại đúng lệnh này để tiếp tục.`,
      });
    } else {
      context.say({
        en: `${total} citizens of seed ${seed} in ${units} units; ${added} of them new, ${outcome.dirty} with a planted defect.`,
        vi: `${total} công dân của hạt giống ${seed} tại ${units} đơn vị; ${added} người mới, ${outcome.dirty} người có lỗi gài sẵn.`,
      });
    }
    return { exit: stopped ? 1 : 0, json: { seed, ...outcome } };
  },
};

async function generated(options: Parameters<typeof generateProvince>[0]): Promise<Generated> {
  try {
    return await generateProvince(options);
  } catch (error) {
    if (!(error instanceof SeedTaken)) throw error;
    throw new UsageError({
      en: `A province of ${error.citizens} citizens was generated from this seed already. Take another --seed, or --citizens ${error.citizens} to finish it.`,
      vi: `Hạt giống này đã sinh một tỉnh ${error.citizens} công dân. Hãy dùng --seed khác, hoặc --citizens ${error.citizens} để hoàn tất.`,
    });
  }
}
