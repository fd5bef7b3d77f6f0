import { catalogue, errorCodes, type ErrorCode } from './catalogue.ts';

/** `docs/error-codes.md`: a pure function of the catalogue, so that a test can tell whether the page is current. */
export function errorCodesPage(): string {
  const entries = Object.entries(catalogue).sort(([one], [other]) => (one < other ? -1 : 1));
  const classes = Object.entries(errorCodes).map(([code, { status }]) => {
    const reasons = entries.filter(([, entry]) => entry.code === code).length;
    return `| \`${code}\` | ${String(status)} | ${String(reasons)} |`;
  });
  const sections = (Object.keys(errorCodes) as ErrorCode[]).flatMap((code) => {
    const rows = entries.filter(([, entry]) => entry.code === code);
    if (rows.length === 0) return [];
    return [
      `## ${code}`,
      '',
      '| Reason | English | Tiếng Việt | Since |',
      '| --- | --- | --- | --- |',
      ...rows.map(([reason, entry]) => `| \`${reason}\` | ${cell(entry.en)} | ${cell(entry.vi)} | ${entry.since} |`),
      '',
    ];
  });
  return [
    '<!-- Printed from kernel/errors/catalogue.ts by `npm run hub -- docs`; do not edit. -->',
    '',
    '# Error codes',
    '',
    'A refusal names its class (`code`, what programs switch on), its reason (below), the field as the caller named it, and the',
    'trace id. The text is Vietnamese or English by `Accept-Language`. A mutation answers its refusals as data',
    '(`error { code message field reason }`); everything else comes as `errors[].extensions`.',
    '',
    '| Class | HTTP status when the whole request is refused | Reasons |',
    '| --- | --- | --- |',
    ...classes,
    '',
    ...sections,
  ]
    .join('\n')
    .trimEnd()
    .concat('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}
