/** Who logs in to the SFTP server of the measurements. It listens on the loopback, and serves made-up files. */
export const sftpAccount = { username: 'landfall', password: 'measured' } as const;
