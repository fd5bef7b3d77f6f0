import Popover from '@mui/material/Popover';
import { useState, type ReactNode } from 'react';
import { LinkBase } from 'react-admin';
import type { CitizenField } from '../api/generated/graph.ts';
import type { Address, Citizen, FieldStatus, RevealedCitizen } from '../api/records.ts';
import { instant, partialDay } from '../format.ts';
import { useSay, word, type Say } from '../i18n/words.ts';
import { Mark, markOf } from '../parts/marks.tsx';
import { useMayChange } from '../parts/use-principal.ts';

function valueOf(say: Say, field: CitizenField, citizen: Citizen, shown: RevealedCitizen | null): string | null {
  switch (field) {
    case 'FULL_NAME':
      return citizen.fullName;
    case 'OLD_ID_NUMBER':
      return shown?.oldIdNumber ?? citizen.oldIdNumber;
    case 'PERSONAL_ID':
      return shown?.personalId ?? citizen.personalId;
    case 'DATE_OF_BIRTH':
      return partialDay(citizen.dateOfBirth) || null;
    case 'PHONE':
      return shown?.phone ?? citizen.phone;
    case 'GENDER':
      return citizen.gender === null ? null : word(say, 'gender', citizen.gender);
    case 'BIRTHPLACE':
      return citizen.birthplace;
    case 'EMAIL':
      return shown?.email ?? citizen.email;
    case 'NATIVE_PLACE':
      return citizen.nativePlace;
    case 'PERMANENT_ADDRESS':
      return citizen.permanentAddress?.text ?? null;
  }
}

/** Under which name the form knows a field of the sheet. */
const formField: Readonly<Record<CitizenField, string>> = {
  FULL_NAME: 'fullName',
  OLD_ID_NUMBER: 'oldIdNumber',
  PERSONAL_ID: 'personalId',
  DATE_OF_BIRTH: 'dateOfBirth',
  PHONE: 'phone',
  GENDER: 'gender',
  BIRTHPLACE: 'birthplace',
  EMAIL: 'email',
  NATIVE_PLACE: 'nativePlace',
  PERMANENT_ADDRESS: 'permanentAddress.text',
};

/** The identity sheet in its own order, each field with how sure it is; why is one press away. */
export function Identity({
  citizen,
  revealed,
}: {
  readonly citizen: Citizen;
  readonly revealed: RevealedCitizen | null;
}): ReactNode {
  const say = useSay();
  const change = useMayChange()('citizen:write') && citizen.lifeStatus !== 'MERGED';
  return (
    <section className="block">
      <h2>{say('citizen.identity')}</h2>
      <dl className="facts identity">
        {citizen.fieldStatuses.map((status) => (
          <div key={status.field} data-row tabIndex={-1}>
            <dt>{word(say, 'field', status.field)}</dt>
            <dd>
              <span className="value">
                {valueOf(say, status.field, citizen, revealed) ?? '–'}
                {status.field === 'PERMANENT_ADDRESS' ? <PlaceCode address={citizen.permanentAddress} /> : null}
              </span>
              <span className="field-acts">
                {change ? (
                  <LinkBase
                    className="edit-field"
                    to={`/citizens/${citizen.id}?field=${formField[status.field]}`}
                    aria-label={say('form.editField', { field: word(say, 'field', status.field) })}
                  >
                    {say('form.edit')}
                  </LinkBase>
                ) : null}
                <Why status={status} citizen={citizen.id} />
              </span>
            </dd>
          </div>
        ))}
        {typeof citizen.currentAddress?.text !== 'string' ? null : (
          <div>
            <dt>{say('citizen.currentAddress')}</dt>
            <dd>
              <span className="value">
                {citizen.currentAddress.text}
                <PlaceCode address={citizen.currentAddress} />
              </span>
            </dd>
          </div>
        )}
        {citizen.ethnicity === null ? null : (
          <div>
            <dt>{say('citizen.ethnicity')}</dt>
            <dd className="figures">{citizen.ethnicity}</dd>
          </div>
        )}
        {citizen.identifiers.length === 0 ? null : (
          <div>
            <dt>{say('citizen.numbers')}</dt>
            <dd>
              <ul className="numbers">
                {citizen.identifiers.map(({ system, value, standing }, index) => (
                  <li key={`${system}${index}`}>
                    {word(say, 'system', system)} <span className="figures">{revealed?.identifiers[index]?.value ?? value}</span>{' '}
                    <span className="quiet">{word(say, 'standing', standing)}</span>
                  </li>
                ))}
              </ul>
            </dd>
          </div>
        )}
      </dl>
    </section>
  );
}

function PlaceCode({ address }: { readonly address: Address | null }): ReactNode {
  const say = useSay();
  if (typeof address?.code !== 'string') return null;
  const now =
    address.currentCode === null || address.confidence === 'UNKNOWN'
      ? say('citizen.placeUnknown')
      : address.currentCode === address.code
        ? ''
        : say(address.confidence === 'MAIN_TARGET' ? 'citizen.placeMain' : 'citizen.placeNow', { code: address.currentCode });
  return (
    <span className="small quiet place-code">
      {say('citizen.placeCode', { code: address.code, list: address.listVersion ?? '–' })}
      {now === '' ? '' : `, ${now}`}
    </span>
  );
}

/** The state of a field; pressed, it explains itself: rule, source, date, what to do. */
function Why({ status, citizen }: { readonly status: FieldStatus; readonly citizen: string }): ReactNode {
  const say = useSay();
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const kind = markOf(status);
  const names = { field: word(say, 'field', status.field), state: say(`mark.${kind}`) };
  const source = status.source === null ? say('why.noSource') : word(say, 'dataSource', status.source);
  return (
    <>
      <button
        type="button"
        className="why"
        aria-haspopup="dialog"
        aria-label={say('why.open', names)}
        onClick={(event) => setAnchor(event.currentTarget)}
      >
        <Mark kind={kind} />
      </button>
      <Popover
        open={anchor !== null}
        anchorEl={anchor}
        onClose={() => setAnchor(null)}
        anchorOrigin={{ vertical: 'bottom', horizontal: 'right' }}
        transformOrigin={{ vertical: 'top', horizontal: 'right' }}
        slotProps={{ paper: { role: 'dialog', 'aria-label': say('why.title', names) } as object }}
      >
        <div className="panel narrow">
          <p>
            <strong>{say('why.title', names)}</strong>
          </p>
          <dl className="facts">
            <div>
              <dt>{say('why.rule')}</dt>
              <dd>{say(`why.${kind}`)}</dd>
            </div>
            <div>
              <dt>{say('why.source')}</dt>
              <dd>{source}</dd>
            </div>
            <div>
              <dt>{say('why.checkedAt')}</dt>
              <dd className="figures">{status.checkedAt === null ? say('why.never') : instant(status.checkedAt)}</dd>
            </div>
            <div>
              <dt>{say('why.next')}</dt>
              <dd>
                {kind === 'CONFLICT' ? (
                  <LinkBase to={`/discrepancies?citizen=${citizen}`}>{say('why.doCONFLICT')}</LinkBase>
                ) : (
                  say(`why.do${kind}`)
                )}
              </dd>
            </div>
          </dl>
        </div>
      </Popover>
    </>
  );
}
