import { expect, test } from '@jest/globals';
import { backupDrill } from '../kit/backup-drill.ts';

test('a hub that is backed up under writes and dies with its disk comes back with every write acknowledged before; all peers send again, nothing is doubled [F29]', async () => {
  const report = await backupDrill({ generated: 0, writers: 4, after: 1, quiet: 0 });
  expect(report.acknowledgedBeforeTheEnd).toBeGreaterThan(30);
  expect(report).toMatchObject({ lost: [], doubled: [], missing: [] });
  // The chain holds, and the restore stands in it.
  expect(report.audit).toMatchObject({ problems: [], gaps: [{ backup: report.backup.endedAt }] });
  expect(report.replicated).toBe(report.citizens);
}, 300_000);
