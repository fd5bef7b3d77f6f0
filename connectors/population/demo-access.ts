/** By what the simulator knows the hub; of use nowhere else. */
export const demoAccess = {
  user: 'so-y-te-mau',
  secret: 'lien-thong-demo',
  officer: 'CB-MAU-01',
  unit: 'H52',
  procedure: '1.000000',
} as const;
