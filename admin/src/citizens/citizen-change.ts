import type { Citizen } from '../api/records.ts';
import type { MessageKey } from '../i18n/vi.ts';
import type { Changeable } from '../parts/change-acts.tsx';

/** A merged record is history; the one it was merged into goes on. */
const closedWhenMerged = ({ lifeStatus }: Citizen): MessageKey | null => (lifeStatus === 'MERGED' ? 'form.closed.merged' : null);

export const citizenChange: Changeable<Citizen> = {
  permission: 'citizen:write',
  withdraw: 'form.awayOrDead',
  closedEdit: closedWhenMerged,
  closedWithdraw: (citizen) => closedWhenMerged(citizen) ?? (citizen.lifeStatus === 'ACTIVE' ? null : 'form.closed.alreadyAway'),
};
