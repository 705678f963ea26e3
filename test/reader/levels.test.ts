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

  const list = { ...pairs, within: { field: 'list', as: 'list' } } as const;
  const twice = { ...list, within: { field: 'other', as: 'list' } } as const;

  it('may be several of one table, each with its columns', () => {
    const more = { ...twice, fixed: { kind: "it's" }, columns: [] };
    const [, first, second] = levelsOf({ ...session, nested: [list, more] });
    assert.deepEqual(first?.columns, ['_file_id', '_line', 'session_id', 'ordinal', 'value', '_extra']);
    assert.deepEqual(second?.columns, ['_file_id', '_line', 'session_id', 'ordinal', 'kind', '_extra']);
    assert.deepEqual(second?.values(constants).slice(-2), [`'it''s'`, 'extra']);
  });

  it('are refused where rows of one table could not be numbered over its fields', () => {
    const message = "pair has rows in several fields that are not all the line's own, or hold others";
    const state = session.nested[0]!;
    for (const nested of [
      [{ ...state, nested: [list, twice] }],
      [{ ...state, nested: [list] }, twice],
      [list, { ...twice, nested: [{ ...list, name: 'inner' }] }],
      [{ ...list, nested: [twice] }],
    ]) {
      assert.throws(() => levelsOf({ ...session, nested }), { name: 'RangeError', message });
    }
  });

  it('are refused where one field is to be two things', () => {
    const [field, older] = ['value', 'other'];
    const column = { name: 'value', type: 'text', field } as const;
    for (const columns of [
      [
        { ...column, older },
        { ...column, name: 'other', field: older },
      ],
      [
        { ...column, older },
        { ...column, name: 'more', field: 'more', older },
      ],
      [{ ...column, field: 'inner' }],
      [{ ...column, older: 'inner' }],
    ]) {
      const inner = { ...twice, name: 'inner', within: { field: 'inner', as: 'list' } } as const;
      assert.throws(() => levelsOf(withTable({ ...list, columns, nested: [inner] })), {
        name: 'RangeError',
        message: /^pair has the field (other|inner) for two things$/,
      });
    }
  });

  it('are refused where a pair is to have a former name', () => {
    const columns = [{ name: 'value', type: 'text', field: 'value', older: 'was' } as const];
    assert.throws(() => levelsOf(withTable({ ...pairs, columns })), {
      name: 'RangeError',
      message: 'pair is of pairs, which have no former names',
    });
  });

  it('are refused where a column is required that there is not', () => {
    assert.throws(() => levelsOf({ ...session, required: ['time', 'began'] }), {
      name: 'RangeError',
      message: 'session requires began, which it has not',
    });
  });

  it('are refused where a map is to hold rows', () => {
    assert.throws(() => levelsOf(withTable({ ...pairs, nested: [pairs] })), {
      name: 'RangeError',
      message: 'pair is of pairs, which hold no rows',
    });
  });
});
