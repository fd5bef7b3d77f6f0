import { rebuildReplicas } from '../workers/replicas.ts';
import type { Verb } from './verb.ts';

export const verb: Verb = {
  usage: '',
  help: {
    en: 'Makes what insurance, results and slips know of the citizens anew from the citizens, beside a running hub.',
    vi: 'Tạo lại bản sao công dân của bảo hiểm, kết quả và phiếu từ dữ liệu công dân, có thể chạy khi hệ thống đang hoạt động.',
  },
  options: {},
  async run(context) {
    const { ownerUrl, identifierKey } = await context.database();
    const progress = context.progress({ en: 'citizens', vi: 'công dân' });
    const outcome = await rebuildReplicas({
      ownerUrl,
      identifierKey,
      signal: context.signal,
      progress: (done, total) => progress.at(done, total),
    });
    progress.end();
    const { citizens, removed, linked, stopped } = outcome;
    context.say(
      stopped
        ? {
            en: `Stopped after ${citizens} citizens. Run it again: it begins anew and does no harm twice.`,
            vi: `Đã dừng sau ${citizens} công dân. Hãy chạy lại: lệnh làm lại từ đầu và chạy nhiều lần vẫn an toàn.`,
          }
        : {
            en: `${citizens} citizens; ${linked} waiting records found theirs; ${removed} replicas without a citizen removed.`,
            vi: `${citizens} công dân; ${linked} hồ sơ đang chờ đã tìm thấy công dân; đã xóa ${removed} bản sao không còn công dân.`,
          },
    );
    return { exit: stopped ? 1 : 0, json: { ...outcome } };
  },
};
