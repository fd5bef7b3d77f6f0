import { expect, test } from '@jest/globals';
import { backupDrill } from '../kit/backup-drill.ts';

test('at 20,000 citizens under writes: nothing acknowledged before the end is lost, nor what is older than a minute; nothing doubled; well under an hour [F29]', async () => {
  const report = await backupDrill({ generated: 18_000, writers: 8, after: 10, quiet: 75 });
  process.stdout.write(`${JSON.stringify(report)}\n`);
  expect(report.acknowledgedBeforeTheEnd).toBeGreaterThan(200);
  expect(report).toMatchObject({ lost: [], lostAfterTheEnd: [], doubled: [], missing: [] });
  // The chain holds, and the restore stands in it.
  expect(report.audit).toMatchObject({ problems: [], gaps: [{ backup: report.backup.endedAt }] });
  expect(report.replicated).toBe(report.citizens);
  expect(report.restore.seconds).toBeLessThan(3_600);
}, 900_000);
