/*
 * What the admin changes, one document per act. Each answers as `done`: `ok.record` as it stands now, or the refusal as data. A test
 * validates each against the composed graph.
 */

const refused = 'error { code message field reason }';

/** `record: TYPE { id version }` of a kind of record. */
function act(name: string, mutation: string, input: string, record: string): string {
  return `mutation ${name}($input: ${input}!) { done: ${mutation}(input: $input) { ok { record: ${record} { id version } } ${refused} } }`;
}

function acts<Kind extends string>(
  kind: Kind,
  record: string,
): Readonly<Record<`Create${Kind}` | `Update${Kind}` | `Withdraw${Kind}`, string>> {
  return Object.fromEntries(
    ['Create', 'Update', 'Withdraw'].map((verb) => [
      `${verb}${kind}`,
      act(`${verb}${kind}`, `${verb.toLowerCase()}${kind}`, `${verb}${kind}Input`, record),
    ]),
  ) as Readonly<Record<`Create${Kind}` | `Update${Kind}` | `Withdraw${Kind}`, string>>;
}

export const mutations = {
  ...acts('Citizen', 'citizen'),
  ...acts('InsuranceCard', 'insuranceCard'),
} as const;
