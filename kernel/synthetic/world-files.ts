/*
 * Which synthetic worlds a data directory holds: their base day, and the provinces that were generated. So seeds and simulators of outside
 * systems speak of the same people.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { systemClock, type Clock } from '../clock.ts';
import { dayInVietnam, parsePlainDay, type PlainDay } from '../domain/plain-date.ts';

/** The day on which all dates of synthetic records hang; the first who asks sets it. */
export async function baseDayOf(dataDir: string, clock: Clock = systemClock): Promise<PlainDay> {
  const file = join(dataDir, 'base-day');
  const kept = await readOrNull(file);
  if (kept === null) {
    const today = dayInVietnam(clock.now());
    await writeWhole(file, `${today}\n`);
    return today;
  }
  const day = parsePlainDay(kept.trim());
  if (!day.ok) throw new Error(`${file} does not hold a day such as 2026-11-24. Remove it to begin from today.`);
  return day.value;
}

const generatedSchema = z.array(z.object({ seed: z.int(), citizens: z.int(), dirty: z.number() }));
export type GeneratedWorld = z.infer<typeof generatedSchema>[number];

const generatedFile = 'generated-worlds.json';

/** Provinces that were generated beside the demonstration, oldest first. */
export async function generatedWorlds(dataDir: string): Promise<readonly GeneratedWorld[]> {
  const text = await readOrNull(join(dataDir, generatedFile));
  return text === null ? [] : generatedSchema.parse(JSON.parse(text));
}

/** Written before its first citizen is. */
export async function noteGenerated(dataDir: string, world: GeneratedWorld): Promise<void> {
  const known = await generatedWorlds(dataDir);
  if (known.some(({ seed }) => seed === world.seed)) return;
  await writeWhole(join(dataDir, generatedFile), `${JSON.stringify([...known, world])}\n`);
}

export async function writeWhole(file: string, text: string): Promise<void> {
  const temporary = `${file}.${process.pid}`;
  await writeFile(temporary, text, { mode: 0o600, flush: true });
  await rename(temporary, file);
}

async function readOrNull(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
