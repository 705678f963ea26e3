'use strict';

const { reporters } = require('mocha');

/**
 * Mocha's own spec reporter, and after everything, failures and teardown included, one line that a program can
 * read: `12 passed, 0 failed`, or with skipped tests `12 passed, 0 failed, 3 skipped`.
 */
module.exports = class SummaryLast extends reporters.Spec {
  /** Mocha calls this when the global teardown is over; whatever is printed during it comes before. */
  done(failures, finish) {
    const { passes, pending } = this.stats;
    const skipped = pending > 0 ? `, ${pending} skipped` : '';
    process.stdout.write(`${passes} passed, ${failures} failed${skipped}\n`, () => finish(failures));
  }
};
