import type { Run } from '../api/records.ts';
import type { Say } from '../i18n/words.ts';

/** Records a second since the start, for a run that has begun; null before. */
export function paceOf(
  { startedAt, endedAt, done, refused }: Pick<Run, 'startedAt' | 'endedAt' | 'done' | 'refused'>,
  now: number,
): number | null {
  if (startedAt === null) return null;
  const seconds = ((endedAt === null ? now : Date.parse(endedAt)) - Date.parse(startedAt)) / 1_000;
  const handled = (done ?? 0) + (refused ?? 0);
  return seconds < 1 || handled === 0 ? null : handled / seconds;
}

/** Milliseconds that the rest will take at the pace so far; null while nobody can know. */
export function timeLeft(
  run: Pick<Run, 'startedAt' | 'endedAt' | 'done' | 'refused' | 'total' | 'state'>,
  now: number,
): number | null {
  const pace = paceOf(run, now);
  if (pace === null || run.total === null || run.state !== 'RUNNING') return null;
  return Math.max(0, ((run.total - (run.done ?? 0) - (run.refused ?? 0)) / pace) * 1_000);
}

export function durationWords(say: Say, milliseconds: number): string {
  const seconds = Math.max(1, Math.round(milliseconds / 1_000));
  if (seconds < 90) return say('run.seconds', { smart_count: seconds });
  const minutes = Math.round(seconds / 60);
  return minutes < 90
    ? say('run.minutes', { smart_count: minutes })
    : say('run.hours', { smart_count: Math.round(minutes / 60) });
}
