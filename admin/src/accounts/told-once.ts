/*
 * A password or secret that the hub told once. It stands in this tab's memory alone until somebody says that he has it; the address, the
 * browser's storage and its history never hold it.
 */

const told = new Map<string, string>();

export function keepTold(id: string, secret: string): void {
  told.set(id, secret);
}

export function toldOf(id: string): string | null {
  return told.get(id) ?? null;
}

export function forgetTold(id: string): void {
  told.delete(id);
}
