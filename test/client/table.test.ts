import assert from 'node:assert/strict';

import { writeTable } from '../../client/table.js';

interface Row {
  readonly name: string;
  readonly rows: number | undefined;
  readonly note: string;
}

const rows: Row[] = [
  { name: 'a', rows: 1_234_567, note: 'first\n  second' },
  { name: 'longer', rows: undefined, note: '' },
];
const columns = [
  { title: 'NAME', cell: (row: Row) => row.name },
  { title: 'ROWS', cell: (row: Row) => row.rows },
  { title: 'NOTE', cell: (row: Row) => row.note },
];

describe('a table', () => {
  it('aligns texts to the left and numbers, their thousands apart, to the right, each row on one line', () => {
    assert.equal(
      writeTable(rows, columns),
      ['NAME         ROWS  NOTE', 'a       1,234,567  first second', 'longer          -'].join('\n'),
    );
  });

  it('is cut only where a terminal ends', () => {
    assert.equal(writeTable(rows, columns, 24).split('\n')[1], 'a       1,234,567  firs…');
  });
});
