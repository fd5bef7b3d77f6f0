declare const brand: unique symbol;

/** A string (or number) that was parsed into a value of the domain and cannot be mixed up with another. */
export type Brand<Base, Name extends string> = Base & { readonly [brand]: Name };

/**
 * Why a text is not the value it claims to be: `field` is the name the sender knows (GraphQL argument, CSV column),
 * `reason` is an entry of the error catalogue.
 */
export type Parsed<T, Reason extends string> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: Reason };
