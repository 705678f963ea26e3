/** An S3 server that a chaos run can kill: a process of its own, on a port that stays the same. Ends with its input. */

import { startS3 } from '../../sandbox/s3.js';

const [directory = '', port = '', bucket = ''] = process.argv.slice(2);
await startS3({ directory, port: Number(port), buckets: [bucket] });
console.log('ready');
process.stdin.resume().on('end', () => process.exit(0));
