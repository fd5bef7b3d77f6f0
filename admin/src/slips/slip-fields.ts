import type { SlipOrigin, SlipStatus } from '../api/generated/graph.ts';
import type { FormField } from '../forms/form-spec.ts';
import type { MessageKey } from '../i18n/vi.ts';
import { optionsOf } from '../lists/options.ts';

export interface AnySlip {
  readonly origin: SlipOrigin;
  readonly status: SlipStatus;
}

/** A slip only goes on, never back; steps may be left out. */
const onFrom: Readonly<Record<SlipStatus, readonly SlipStatus[]>> = {
  ISSUED: ['SHOWN', 'ACCEPTED', 'USED', 'EXPIRED', 'CANCELLED'],
  SHOWN: ['ACCEPTED', 'USED', 'EXPIRED', 'CANCELLED'],
  ACCEPTED: ['USED', 'CANCELLED'],
  USED: [],
  EXPIRED: [],
  CANCELLED: [],
  REPLACED: [],
  WITHDRAWN: [],
};

/** What changing it is called. */
export const editOf = ({ origin }: AnySlip): MessageKey => (origin === 'SIGNED' ? 'form.changeStatus' : 'form.edit');

/** Why nothing of it can be changed any more. */
export function closedOf({ origin, status }: AnySlip): MessageKey | null {
  if (status === 'WITHDRAWN') return 'form.closed.withdrawn';
  return origin === 'SIGNED' && onFrom[status].length === 0 ? 'form.closed.signed' : null;
}

/** What a hospital signed stays as it was signed: of such a slip only the status goes on. */
export function fieldsFor(slip: AnySlip | null, facts: readonly FormField[]): readonly FormField[] {
  if (slip === null) return facts;
  const status: FormField = {
    key: 'status',
    label: 'column.state',
    kind: 'choice',
    required: true,
    options: optionsOf('slipStatus', [slip.status, ...onFrom[slip.status]]),
    rule: 'rule.stateForward',
  };
  return slip.origin === 'SIGNED' ? [status] : [...facts, status];
}
