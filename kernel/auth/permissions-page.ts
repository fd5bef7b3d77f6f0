import { onLegalBasis, permissions, permissionsOf, roles } from './permissions.ts';
import { defaultPurpose, maskedFields, purposes, shownInClear } from './purposes.ts';

/** `docs/permissions.md`: a pure function of the lists, so that a test can tell whether the page is current. */
export function permissionsPage(): string {
  const clear = roles.flatMap((role) =>
    purposes.map((purpose) => {
      const shown = shownInClear[role][purpose] ?? [];
      const standard = defaultPurpose[role] === purpose ? ' (default)' : '';
      return `| ${role} | \`${purpose}\`${standard} | ${maskedFields.map((field) => (shown.includes(field) ? '●' : '·')).join(' | ')} |`;
    }),
  );
  return [
    '<!-- Printed from kernel/auth/permissions.ts and purposes.ts by `npm run hub -- docs`; do not edit. -->',
    '',
    '# Who may do what',
    '',
    'A right counts for the rows of the units at or below the unit of the account or client; `●` has it, `§` only on a registered legal',
    'basis (`x-hub-basis`) and for whom the basis names, `·` never: `FORBIDDEN` on that field. A row out of scope answers like one that does not exist.',
    '',
    `| Right | ${roles.join(' | ')} |`,
    `| --- |${roles.map(() => ' --- |').join('')}`,
    ...permissions.map((permission) => {
      const cells = roles.map((role) =>
        permissionsOf[role].includes(permission) ? '●' : onLegalBasis[role]?.includes(permission) === true ? '§' : '·',
      );
      return `| \`${permission}\` | ${cells.join(' | ')} |`;
    }),
    '',
    '# What is shown in clear',
    '',
    'By role and purpose (`x-hub-purpose`, codes of FHIR PurposeOfUse); everything else is masked like `038•••••0001`, and a masked value sent back is refused.',
    '',
    `| Role | Purpose | ${maskedFields.map((field) => `\`${field}\``).join(' | ')} |`,
    `| --- | --- |${maskedFields.map(() => ' --- |').join('')}`,
    ...clear,
    '',
  ].join('\n');
}
