/** An SFTP server in a process of its own, so that its memory and its core are not the worker's. Ends with its input. */

import { startSftpServer } from '../sandbox/sftp-server.js';
import { sftpAccount } from './sftp-account.js';

const [directory] = process.argv.slice(2);
if (directory === undefined) throw new Error('usage: sftp-program <directory>');
const { port, hostKey, stop } = await startSftpServer({ directory, users: [sftpAccount] });
console.log(JSON.stringify({ port, hostKey }));
process.stdin.resume().on('end', () => {
  void stop().then(() => process.exit(0));
});
