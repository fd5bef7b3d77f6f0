/** A file that goes out once: where it lies, and as what it is handed over. */
export interface FetchedFile {
  /** Name in the store. */
  readonly storedAs: string;
  /** For the person's folder; ASCII, without a name of anybody. */
  readonly name: string;
  readonly format: 'CSV' | 'JSONL';
  /** Made for this one time: removed when it was handed over. */
  readonly once: boolean;
}

/**
 * What the files origin asks about its links. Organisation keeps the register, and answers in the same process or across the signed hop; the
 * bytes lie in a store that both sides reach.
 */
export interface FileRegister {
  /** Whether bytes may come by this link. */
  awaits(link: string): Promise<boolean>;
  /** The bytes that came by it lie in the store under this name. Id of the import; `null`: they are not awaited (any more). */
  received(link: string, storedAs: string): Promise<string | null>;
  /** Uses the link up and writes down who takes what; `null`: over, used, or not (any more) his to take. */
  fetch(link: string, traceId: string): Promise<FetchedFile | null>;
}
