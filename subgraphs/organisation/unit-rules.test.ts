import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { unitLevels } from '#kernel/db/hub.entity.ts';
import { mayStandBelow, whyNotThere } from './unit-rules.ts';
import { Units, type UnitRow } from './units.ts';

const inForce = { version: 1, validFrom: '2025-07-01', validTo: null } as const;
const province: UnitRow = { number: 1, code: 'p', name: 'p', level: 'PROVINCE', parent: null, ...inForce };

test('every level stands below the higher ones and none below itself', () => {
  for (const level of unitLevels)
    for (const above of unitLevels) {
      expect(mayStandBelow(level, above)).toBe(unitLevels.indexOf(level) > unitLevels.indexOf(above));
    }
});

/** What stewards try: a new unit, another level, another parent. */
const attempt = fc.record({
  kind: fc.constantFrom('create', 'move', 'level'),
  unit: fc.nat({ max: 40 }),
  parent: fc.nat({ max: 40 }),
  level: fc.constantFrom(...unitLevels),
});

test('whatever is tried, the tree stays one tree: no circle, no unit lost, each below a higher level', () => {
  fc.assert(
    fc.property(fc.array(attempt, { maxLength: 80 }), (attempts) => {
      let rows: readonly UnitRow[] = [province];
      for (const { kind, unit: at, parent: to, level } of attempts) {
        const units = new Units(rows);
        const unit = rows[at % rows.length] ?? province;
        const parent = rows[to % rows.length] ?? province;
        if (kind === 'create') {
          if (whyNotThere(units, { number: null, level }, parent) !== null) continue;
          rows = [...rows, { ...province, number: rows.length + 1, level, parent: parent.number }];
        } else if (unit.parent !== null) {
          const asked = kind === 'move' ? { ...unit, parent: parent.number } : { ...unit, level };
          const above = units.find(asked.parent ?? 0);
          if (above === null || whyNotThere(units, asked, above) !== null) continue;
          rows = rows.map((row) => (row.number === unit.number ? asked : row));
        }
      }
      const units = new Units(rows);
      expect(units.scopeOf(1).count).toBe(rows.length);
      for (const row of rows) {
        expect(units.standsOver(1, row.number)).toBe(true);
        const above = row.parent === null ? null : units.find(row.parent);
        if (above !== null) {
          expect(mayStandBelow(row.level, above.level)).toBe(true);
          expect(units.standsOver(row.number, above.number)).toBe(false);
        }
      }
    }),
  );
});

test('a unit that ended hinders nobody above it', () => {
  const ended: UnitRow = { ...province, number: 3, level: 'STATION', parent: 2, validTo: '2026-01-01' };
  const centre: UnitRow = { ...province, number: 2, level: 'CENTRE', parent: 1 };
  expect(whyNotThere(new Units([province, centre, ended]), { ...centre, level: 'STATION' }, province)).toBeNull();
  expect(whyNotThere(new Units([province, centre, { ...ended, validTo: null }]), { ...centre, level: 'STATION' }, province)).toBe(
    'UNIT_LEVEL_ORDER',
  );
});
