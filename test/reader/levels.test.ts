import assert from 'node:assert/strict';

import { levelsOf } from '../../reader/nested/levels.js';
import { session, storedTables } from '../../vendors/leanplum/tables.js';
import type { NestedTable, RootTable } from '../../vendors/table.js';
import { constants } from './landing.js';

const pairs: NestedTable = {
  name: 'pair',
  key: 'ordinal',
  ordinal: 'ordinal',
  ofFile: [],
  within: { field: 'pairs', as: 'map' },
  inherits: [{ name: 'session_id', of: 'session_id' }],
  columns: [{ name: 'value', type: 'text', field: 'value' }],
};
const withTable = (table: NestedTable): RootTable => ({ ...session, nested: [table] });

describe('the levels of a line', () => {
  it('are its tables, each after the one that its rows lie in, with all columns and a value for each', () => {
    const levels = levelsOf(session);
    assert.deepEqual(
      levels.map(({ table }) => table.name),
      storedTables.map(({ name }) => name),
    );
    for (const [index, { columns, values }] of levels.entries()) {
      const stored = storedTables[index]!.columns.map(({ name }) => name);
      assert.deepEqual([...columns].sort(), [...stored, '_file_id', '_line', '_extra'].sort());
      assert.equal(values(constants).length, columns.length);
    }
  });

  it('are refused where a column is of one that the parent has not', () => {
    const inherits = [{ name: 'state_id', of: 'state_id' }];
    assert.throws(() => levelsOf(withTable({ ...pairs, inherits })), {
      name: 'RangeError',
      message: 'pair.state_id is of state_id, which its parent has not',
    });
  });

  it('are refused where a map is to hold rows', () => {
    assert.throws(() => levelsOf(withTable({ ...pairs, nested: [pairs] })), {
      name: 'RangeError',
      message: 'pair is of pairs, which hold no rows',
    });
  });
});
