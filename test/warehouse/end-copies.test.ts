import assert from 'node:assert/strict';

import { transaction } from '../../warehouse/transaction.js';
import { endCopies } from '../../warehouse/end-copies.js';
import { openPool } from '../../warehouse/pool.js';
import { testDatabase } from '../support/postgres.js';

describe('sessions that copy into staging tables', () => {
  it('are ended where their load is, and no others', async () => {
    const database = await testDatabase();
    const pool = openPool(database.url, 4);
    const others = openPool(database.url, 4);
    await pool.query('create table landfall_staging.load_1_conversion (id integer)');
    await pool.query('create table landfall_staging.load_12_conversion (id integer)');
    const copying = async (table: string) => {
      const client = await others.connect();
      await client.query('begin');
      await client.query(`insert into landfall_staging.${table} values (1)`);
      return client;
    };
    const ended = await copying('load_1_conversion');
    const stays = await copying('load_12_conversion');
    await transaction(pool, async (client) => {
      await endCopies(client, '1');
      await client.query('drop table landfall_staging.load_1_conversion');
    });
    await assert.rejects(ended.query('select 1'));
    await stays.query('commit');
    ended.release(true);
    stays.release();
    await pool.end();
    await others.end();
    await database.drop();
  });
});
