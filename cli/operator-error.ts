/** What went wrong and what to do, in the words of whoever runs the hub: shown without a stack. */
export class OperatorError extends Error {}
