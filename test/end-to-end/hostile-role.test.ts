import { landsEveryVendor } from '../support/every-vendor.js';
import { hostileDatabase, preparedHostileDatabase } from '../support/hostile-role.js';
import { worksAsAWhole } from '../support/whole-product.js';

describe('under a role whose settings nobody expects', function () {
  this.timeout(180_000);

  it('setup, check, worker, receiver, status, show and signals work', async () => {
    const database = await hostileDatabase();
    await worksAsAWhole(database.url);
    await database.drop();
  });

  landsEveryVendor(preparedHostileDatabase);
});
