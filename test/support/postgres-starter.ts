/**
 * A program of its own for tests that kill the process that started a server: starts Postgres on the data
 * directory given, prints the server's process id and waits. With "exit" it ends itself without stopping it.
 */
import { startPostgres } from '../../sandbox/postgres.js';
import { silently } from '../../sandbox/progress.js';

const [, , dataDir, ending] = process.argv;
if (dataDir === undefined) throw new Error('usage: postgres-starter <data directory> [exit]');
const server = await startPostgres({ dataDir, progress: silently, settings: { fsync: 'off' } });
process.stdout.write(`${server.pid}\n`, () => {
  if (ending === 'exit') process.exit(0);
});
setInterval(() => undefined, 1000);
