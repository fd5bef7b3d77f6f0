import { expect, test } from '@jest/globals';
import { hubKilled, postgresKilled, workerKilled } from '../kit/faults.ts';
import { LedgerRun } from '../kit/ledger-run.ts';
import { startHub } from '../kit/hub.ts';

test('of 50,000 acknowledged writes none is lost and none happens twice while every process is killed in turn [F09] [F26] [F27] [F28]', async () => {
  const hub = await startHub();
  try {
    const ledger = await LedgerRun.open(hub);
    const run = await ledger.run({
      writers: 20,
      milliseconds: 120_000,
      acknowledged: 50_000,
      strikeEvery: 10_000,
      faults: [hubKilled, postgresKilled, workerKilled],
    });
    const { lost, doubled, unexpected, contradicted, acknowledged, recovered } = await ledger.verdict();
    process.stderr.write(
      `${String(acknowledged)} acknowledged, ${String(run.repeated)} sent again, ${String(recovered)} recovered, ${String(run.struck.length)} kills, longest outage ${Math.max(...run.outages).toFixed(0)} ms\n`,
    );
    expect({ lost, doubled, unexpected, contradicted }).toEqual({ lost: [], doubled: [], unexpected: [], contradicted: [] });
    expect(acknowledged).toBeGreaterThanOrEqual(50_000);
    expect(await ledger.loose(120_000)).toEqual({
      audit: 0,
      answers: 0,
      messages: 0,
      versions: 0,
      insurance: 0,
      results: 0,
      slips: 0,
    });
  } finally {
    await hub.stop();
  }
}, 1_200_000);
