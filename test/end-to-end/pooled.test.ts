import { landsEveryVendor } from '../support/every-vendor.js';
import { hostileDatabase } from '../support/hostile-role.js';
import { needsPgbouncer, pooled, pooledDatabase } from '../support/pgbouncer.js';
import { worksAsAWhole } from '../support/whole-product.js';

describe('through pgbouncer in transaction mode', function () {
  this.timeout(180_000);
  before(async function () {
    await needsPgbouncer(this);
  });

  it('setup, check, worker, receiver, status, show and signals work, under a role with odd settings', async () => {
    const database = await pooled(await hostileDatabase(), 4);
    await worksAsAWhole(database.url);
    await database.drop();
  });

  // Fewer sessions of Postgres than a worker has connections, so that these share them.
  landsEveryVendor(() => pooledDatabase(4));
});
