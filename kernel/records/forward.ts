/**
 * Where a record of one kind may go from where it stands. What is not listed is not allowed, so nothing ever goes back: a slip set
 * wrongly is withdrawn, or the change is undone by name.
 */
export type Ways<State extends string> = Readonly<Record<State, readonly State[]>>;

/** Standing still is no move, and always allowed. */
export function mayGo<State extends string>(ways: Ways<State>, from: State, to: State): boolean {
  return from === to || ways[from].includes(to);
}
