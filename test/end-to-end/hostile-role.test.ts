import { landsEveryVendor } from '../support/every-vendor.js';
import { preparedHostileDatabase } from '../support/hostile-role.js';

describe('under a role whose settings nobody expects', function () {
  this.timeout(180_000);

  landsEveryVendor(preparedHostileDatabase);
});
