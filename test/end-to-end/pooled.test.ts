import { landsEveryVendor } from '../support/every-vendor.js';
import { needsPgbouncer, pooledDatabase } from '../support/pgbouncer.js';

describe('through pgbouncer in transaction mode', function () {
  this.timeout(180_000);
  before(async function () {
    await needsPgbouncer(this);
  });

  // Fewer sessions of Postgres than a worker has connections, so that these share them.
  landsEveryVendor(() => pooledDatabase(4));
});
