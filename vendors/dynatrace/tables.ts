/** The tables, and where their columns stand in documents. */

import type { Column, RootTable } from '../table.js';

/** A line of a body. */
export const session: RootTable = {
  name: 'user_session',
  key: 'user_session_id',
  required: ['tenant_id', 'start_time'],
  ofFile: [],
  columns: [
    { name: 'tenant_id', type: 'text', field: 'tenantId' },
    { name: 'user_session_id', type: 'text', field: 'userSessionId' },
    { name: 'start_time', type: 'timestamptz', field: 'startTime' },
  ],
  nested: [],
};

/** A table with all its columns, and those of its primary key. */
export interface StoredTable {
  readonly name: string;
  readonly columns: readonly Pick<Column, 'name' | 'type'>[];
  readonly key: readonly string[];
}

/** Every table that documents fill. */
export const storedTables: readonly [StoredTable, ...StoredTable[]] = [
  {
    name: session.name,
    columns: session.columns.map(({ name, type }) => ({ name, type })),
    key: ['tenant_id', 'user_session_id', 'start_time'],
  },
];
