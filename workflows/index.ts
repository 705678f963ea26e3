/** Workflow types as Temporal knows them. A delivery's type is its vendor's name. */
export { backfill } from './backfill.js';
export { discover } from './discover.js';
export { dynatrace } from './dynatrace.js';
export { inbox } from './inbox.js';
export { leanplum } from './leanplum.js';
export { leanplumExport } from './leanplum-export.js';
export { megaphone } from './megaphone.js';
export { monetate } from './monetate.js';
export { monetateNames } from './monetate-names.js';
export { optimizely } from './optimizely.js';
