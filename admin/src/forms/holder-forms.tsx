import type { ReactNode } from 'react';
import { useLocation, useParams } from 'react-admin';
import type { FormActs } from './form-spec.ts';
import { RecordForm } from './record-form.tsx';

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The forms of what belongs to a person, by address: `/cards/create?citizen=…`, `/cards/ID`, `/cards/ID?act=withdraw`. */
export function HolderForms<Row extends { readonly id: string; readonly version: number }>({
  acts,
}: {
  readonly acts: FormActs<Row>;
}): ReactNode {
  const { id } = useParams();
  const given = new URLSearchParams(useLocation().search);
  if (id === undefined) {
    const citizen = given.get('citizen') ?? '';
    return <RecordForm act={acts.create} id={null} preset={uuid.test(citizen) ? { citizenId: citizen } : {}} />;
  }
  const act = given.get('act') === 'withdraw' ? acts.withdraw : acts.update;
  return <RecordForm key={`${id}${act.name}`} act={act} id={id} focus={given.get('field')} />;
}
