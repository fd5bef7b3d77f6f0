/* What was sent from this tab, by import: the refused rows are cut out of it. In memory alone, and only the last few. */

const kept = 4;
const files = new Map<string, File>();

export function keepSent(id: string, file: File): void {
  files.set(id, file);
  const oldest = files.keys().next();
  if (files.size > kept && oldest.done !== true) files.delete(oldest.value);
}

export function sentFile(id: string): File | undefined {
  return files.get(id);
}
