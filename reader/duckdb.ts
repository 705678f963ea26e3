import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';

export interface ReaderSettings {
  /** DuckDB's form: `256MB`. Beyond it DuckDB spills to `spillDirectory`. */
  readonly memoryLimit: string;
  readonly threads: number;
  readonly spillDirectory: string;
}

/**
 * Runs `work` on a DuckDB of its own, closed afterwards: a file that breaks one takes nothing else along. An abort
 * interrupts the running query.
 */
export async function withDuckDb<T>(
  settings: ReaderSettings,
  signal: AbortSignal,
  work: (connection: DuckDBConnection) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: settings.memoryLimit,
    threads: String(settings.threads),
    temp_directory: settings.spillDirectory,
    // Rows carry their line number, so their order is free; keeping it costs memory.
    preserve_insertion_order: 'false',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
    // It keeps footers by path and size, so that the next file at the same path, as long as the last, is read by the
    // footer of that one: wrong rows, or none.
    enable_external_file_cache: 'false',
  });
  const connection = await instance.connect();
  const interrupt = (): void => connection.interrupt();
  signal.addEventListener('abort', interrupt);
  try {
    await connection.run(`set timezone = 'UTC'`);
    return await work(connection);
  } finally {
    signal.removeEventListener('abort', interrupt);
    connection.closeSync();
    instance.closeSync();
  }
}

/** A value as a SQL literal. File paths and names come from vendors: they are never pasted in unquoted. */
export function literal(value: string | null): string {
  return value === null ? 'null' : `'${value.replaceAll("'", "''")}'`;
}

/** A name as a SQL identifier. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
