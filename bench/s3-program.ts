/** An S3 server in a process of its own, so that its memory and its core are not the worker's. Ends with its input. */

import { startS3 } from '../sandbox/s3.js';

const [directory, bucket] = process.argv.slice(2);
if (directory === undefined || bucket === undefined)
  throw new Error('usage: s3-program <directory> <bucket>');
const server = await startS3({ directory, buckets: [bucket] });
console.log(server.endpoint);
process.stdin.resume().on('end', () => {
  void server.stop().then(() => process.exit(0));
});
