import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessParts, Running } from '#kernel/main-process.ts';
import { demoAccess } from './demo-access.ts';
import { startSimulator } from './simulator.ts';

/** The simulator as a process of the hub: never in production; where it and its control port listen stands in the data directory. */
export async function startSimulatorProcess({ settings }: ProcessParts): Promise<Running> {
  if (settings.production) throw new Error('Simulators do not run in production.');
  const simulator = await startSimulator({
    seed: settings.demoSeed,
    dataDir: settings.dataDir,
    port: settings.innerPort,
    user: demoAccess.user,
    secret: demoAccess.secret,
  });
  const file = join(settings.dataDir, 'population-simulator.json');
  writeFileSync(
    `${file}.${String(process.pid)}`,
    `${JSON.stringify({ address: simulator.url, control: simulator.controlUrl })}\n`,
    {
      mode: 0o600,
    },
  );
  renameSync(`${file}.${String(process.pid)}`, file);
  return { address: simulator.url, stop: () => simulator.stop() };
}
