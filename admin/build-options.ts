/** Stands in the built page where each response puts its own nonce. */
export const noncePlaceholder = 'NONCE_OF_THIS_RESPONSE';
