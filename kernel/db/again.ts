/** How often a transaction is run that PostgreSQL rolled back as a whole for another's sake. */
const attempts = 5;

/** Runs again what was rolled back; whatever else fails, fails. */
export async function again<T>(run: () => Promise<T>, rolledBack: (error: unknown) => boolean): Promise<T> {
  for (let left = attempts; ; left -= 1) {
    try {
      return await run();
    } catch (error) {
      if (left <= 1 || !rolledBack(error)) throw error;
    }
  }
}
