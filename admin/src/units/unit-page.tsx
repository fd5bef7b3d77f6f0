import type { ReactNode } from 'react';
import { LinkBase, useGetOne, useNavigate, useParams } from 'react-admin';
import Button from '@mui/material/Button';
import type { UnitRecord } from '../api/records.ts';
import { day } from '../format.ts';
import { useSay, word } from '../i18n/words.ts';
import { HistoryTable } from '../parts/history.tsx';
import { Refusal } from '../parts/refusal.tsx';
import { wholeRecord } from '../parts/use-hub.ts';
import { useMay, useMayChange } from '../parts/use-principal.ts';

/** One unit: where it stands, since when, and what happened to it. */
export function UnitPage(): ReactNode {
  const say = useSay();
  const may = useMay();
  const change = useMayChange()('unit:write');
  const navigate = useNavigate();
  const { id = '' } = useParams();
  const { data: unit, error, refetch } = useGetOne<UnitRecord & { id: string }>('units', { id, meta: wholeRecord });
  return (
    <div className="page record">
      <p className="trail">
        <LinkBase to="/units">{say('title.units')}</LinkBase>
      </p>
      {error !== null ? <h1>{say('title.units')}</h1> : null}
      {error !== null ? (
        <Refusal error={error} again={() => void refetch()} />
      ) : unit === undefined ? (
        <div className="block skeleton-block" aria-busy="true" />
      ) : (
        <>
          <div className="title-line">
            <h1>{unit.name ?? unit.code}</h1>
            {change ? (
              <div className="acts">
                <Button size="small" variant="outlined" onClick={() => navigate(`/units/${id}`)}>
                  {say('form.edit')}
                </Button>
                <Button size="small" onClick={() => navigate(`/units/create?parent=${id}`)}>
                  {say('units.addBelow')}
                </Button>
                {unit.parent === null ? null : (
                  <Button size="small" onClick={() => navigate(`/units/${id}?act=withdraw`)}>
                    {say('units.close')}
                  </Button>
                )}
              </div>
            ) : null}
          </div>
          <section className="block" aria-label={say('record.facts')}>
            <dl className="facts">
              <div>
                <dt>{say('column.level')}</dt>
                <dd>{unit.level === null ? '–' : word(say, 'level', unit.level)}</dd>
              </div>
              <div>
                <dt>{say('column.unitCode')}</dt>
                <dd className="figures">{unit.code ?? '–'}</dd>
              </div>
              <div>
                <dt>{say('units.parent')}</dt>
                <dd>
                  {unit.parent === null ? '–' : <LinkBase to={`/units/${unit.parent.id}/show`}>{unit.parent.name}</LinkBase>}
                </dd>
              </div>
              <div>
                <dt>{say('column.validFrom')}</dt>
                <dd className="figures">{day(unit.validFrom) || '–'}</dd>
              </div>
              <div>
                <dt>{say('column.validTo')}</dt>
                <dd className="figures">{day(unit.validTo) || say('units.inForce')}</dd>
              </div>
            </dl>
            <p className="block-links">
              {may('citizens') && unit.level !== 'FACILITY' ? (
                <LinkBase to={`/citizens?unit=${id}`}>{say('units.people')}</LinkBase>
              ) : null}
              {may('work') && unit.level !== 'FACILITY' ? <LinkBase to={`/work?unit=${id}`}>{say('units.work')}</LinkBase> : null}
            </p>
          </section>
          <section className="block">
            <h2>{say('record.history')}</h2>
            <HistoryTable changes={unit.history?.nodes ?? []} empty={say('citizen.noHistory')} />
          </section>
        </>
      )}
    </div>
  );
}
