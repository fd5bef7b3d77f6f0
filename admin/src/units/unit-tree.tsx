import { useState, type ReactNode } from 'react';
import { LinkBase, useNavigate } from 'react-admin';
import Button from '@mui/material/Button';
import type { OrgUnit } from '../api/records.ts';
import { useSay, word } from '../i18n/words.ts';
import { Refusal } from '../parts/refusal.tsx';
import { Tabs } from '../parts/tabs.tsx';
import { useAsk } from '../parts/use-hub.ts';
import { useMay, useMayChange, usePrincipal } from '../parts/use-principal.ts';

/** The units that one sees, from the department down; each leads to its people and its work. */
export function UnitTree(): ReactNode {
  const say = useSay();
  const navigate = useNavigate();
  const change = useMayChange()('unit:write');
  const { data, error, refetch } = useAsk(['units'], (hub, asked) => hub.units(asked));
  return (
    <div className="page">
      <Tabs resources={['units', 'accounts', 'clients', 'queues', 'settings', 'audit']} />
      <div className="title-line">
        <h1>{say('title.units')}</h1>
        {change ? (
          <div className="acts">
            <Button size="small" variant="outlined" onClick={() => navigate('/units/create')}>
              {say('form.add')}
            </Button>
          </div>
        ) : null}
      </div>
      {error !== null ? <Refusal error={error} again={() => void refetch()} /> : null}
      {data?.length === 0 ? <p className="nothing">{say('empty.units')}</p> : null}
      <section className="block">
        <Branch units={data ?? []} depth={0} />
      </section>
    </div>
  );
}

function Branch({ units, depth }: { readonly units: readonly OrgUnit[]; readonly depth: number }): ReactNode {
  return (
    <ul className="tree">
      {units.map((unit) => (
        <Node key={unit.id} unit={unit} depth={depth} />
      ))}
    </ul>
  );
}

/** Open so far down at first: the department and its centres. */
const openDepth = 2;

function Node({ unit, depth }: { readonly unit: OrgUnit; readonly depth: number }): ReactNode {
  const say = useSay();
  const may = useMay();
  const principal = usePrincipal();
  const children = unit.children ?? [];
  const [open, setOpen] = useState(depth < openDepth);
  return (
    <li>
      <div className="tree-line" data-row tabIndex={-1}>
        {children.length === 0 ? (
          <span className="tree-space" />
        ) : (
          <button
            type="button"
            className="tree-fold"
            aria-expanded={open}
            aria-label={`${say('units.expand')}: ${unit.name ?? ''}`}
            onClick={() => setOpen(!open)}
          >
            <span aria-hidden="true">{open ? '▾' : '▸'}</span>
          </button>
        )}
        <LinkBase className={principal?.orgUnit?.id === unit.id ? 'tree-name own' : 'tree-name'} to={`/units/${unit.id}/show`}>
          {unit.name ?? unit.code}
        </LinkBase>
        <span className="quiet">
          {unit.level === null ? '' : word(say, 'level', unit.level)} · {unit.code}
          {children.length === 0 ? '' : ` · ${say('units.below', { smart_count: children.length })}`}
        </span>
        <span className="tree-links">
          {may('citizens') && unit.level !== 'FACILITY' ? (
            <LinkBase to={`/citizens?unit=${unit.id}`}>{say('units.people')}</LinkBase>
          ) : null}
          {may('work') && unit.level !== 'FACILITY' ? (
            <LinkBase to={`/work?unit=${unit.id}`}>{say('units.work')}</LinkBase>
          ) : null}
        </span>
      </div>
      {open && children.length > 0 ? <Branch units={children} depth={depth + 1} /> : null}
    </li>
  );
}
