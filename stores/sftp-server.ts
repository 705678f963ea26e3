import type { HostKey } from '../config/host-key.js';
import type { SftpAlgorithms } from '../config/sftp-algorithms.js';
import type { Login } from './sftp-login.js';

/** Where an SFTP server is, and how Landfall logs in to it. */
export interface SftpServer {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly login: Login;
  readonly hostKey: HostKey;
  /** Older algorithms that may be taken besides those of today. */
  readonly algorithms?: SftpAlgorithms | undefined;
  /** Milliseconds until files can be read after which a connection is given up. Default 20 seconds. */
  readonly loginTimeout?: number;
  /** Milliseconds without an answer to what was asked after which a connection is given up. Default 30 seconds. */
  readonly idleTimeout?: number;
}
