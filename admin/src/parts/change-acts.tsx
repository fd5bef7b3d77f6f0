import Button from '@mui/material/Button';
import { useState, type ReactNode } from 'react';
import { useNavigate } from 'react-admin';
import type { ResourceName } from '../api/resources.ts';
import type { Permission } from '../api/rights.ts';
import { draftPlace } from '../forms/draft-place.ts';
import { useDraft } from '../forms/use-drafts.ts';
import type { MessageKey } from '../i18n/vi.ts';
import { useSay } from '../i18n/words.ts';
import { useMayChange } from './use-principal.ts';

export interface Changeable<Row> {
  readonly permission: Permission;
  /** What editing is called where not the whole record is edited. */
  readonly edit?: (row: Row) => MessageKey;
  /** What withdrawing is called here. */
  readonly withdraw?: MessageKey;
  readonly closedEdit?: ((row: Row) => MessageKey | null) | undefined;
  readonly closedWithdraw?: ((row: Row) => MessageKey | null) | undefined;
}

interface ChangeActsProps<Row> {
  readonly resource: ResourceName;
  readonly row: Row;
  readonly change: Changeable<Row>;
}

/** Edit and withdraw of a record. What cannot be done says why when it is pressed, where it is pressed. */
export function ChangeActs<Row extends { readonly id: string }>({ resource, row, change }: ChangeActsProps<Row>): ReactNode {
  const say = useSay();
  const may = useMayChange();
  const navigate = useNavigate();
  const [why, setWhy] = useState<MessageKey | null>(null);
  const waiting = useDraft(draftPlace(resource, row.id, 'update')) !== undefined;
  if (!may(change.permission)) return null;
  const noEdit = change.closedEdit?.(row) ?? null;
  const noWithdraw = change.closedWithdraw?.(row) ?? null;
  return (
    <>
      {why === null ? null : (
        <span className="why-not" role="status">
          {say(why)}
        </span>
      )}
      <Button
        size="small"
        variant="outlined"
        aria-disabled={noEdit !== null}
        className={noEdit === null ? undefined : 'shut'}
        onClick={() => (noEdit === null ? navigate(`/${resource}/${row.id}`) : setWhy(noEdit))}
      >
        {say(waiting ? 'form.goOn' : (change.edit?.(row) ?? 'form.edit'))}
      </Button>
      <Button
        size="small"
        aria-disabled={noWithdraw !== null}
        className={noWithdraw === null ? undefined : 'shut'}
        onClick={() => (noWithdraw === null ? navigate(`/${resource}/${row.id}?act=withdraw`) : setWhy(noWithdraw))}
      >
        {say(change.withdraw ?? 'form.withdraw')}
      </Button>
    </>
  );
}
