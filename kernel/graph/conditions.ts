import { Kind, visit, type DocumentNode } from 'graphql';

type Values = Readonly<Record<string, unknown>>;

/** Variants kept of one document: four conditions have sixteen. Beyond it the oldest goes. */
const variantLimit = 32;

/** Names of the variables that decide a `@skip` or `@include` of the document. */
export function conditionVariables(document: DocumentNode): readonly string[] {
  const names = new Set<string>();
  visit(document, {
    Directive: (directive) => {
      if (directive.name.value !== 'skip' && directive.name.value !== 'include') return;
      for (const argument of directive.arguments ?? []) {
        if (argument.value.kind === Kind.VARIABLE) names.add(argument.value.name.value);
      }
    },
  });
  return [...names].sort();
}

/**
 * Compiles a document once per combination of its conditions, so that what is compiled knows no condition any more.
 * Bounded: a document with twenty conditions must not fill the memory.
 */
export function memoByConditions<Variant>(
  document: DocumentNode,
  compile: (conditions: Values) => Variant,
): (variables: Values) => Variant {
  const names = conditionVariables(document);
  if (names.length === 0) {
    let only: Variant | undefined;
    return () => (only ??= compile({}));
  }
  const variants = new Map<string, Variant>();
  return (variables) => {
    const key = names.map((name) => (variables[name] === true ? '1' : '0')).join('');
    const known = variants.get(key);
    if (known !== undefined) return known;
    const conditions = Object.fromEntries(names.map((name) => [name, variables[name] === true]));
    const variant = compile(conditions);
    if (variants.size >= variantLimit) variants.delete(variants.keys().next().value ?? '');
    variants.set(key, variant);
    return variant;
  };
}
