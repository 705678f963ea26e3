import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';

/** A DuckDB of its own for as long as `work` lasts. One thread: rows keep their order, so files their bytes. */
export async function withDuckDB<T>(
  memoryLimit: string,
  work: (connection: DuckDBConnection) => Promise<T>,
): Promise<T> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1', memory_limit: memoryLimit });
  const connection = await instance.connect();
  try {
    return await work(connection);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
