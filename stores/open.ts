import { hasStore, type SourceConfig, type StoredSource } from '../config/schema.js';
import type { SftpStoreSettings } from '../config/vendors/sftp-store.js';
import { Failure, failureTypes } from '../model/failure.js';
import { lazyStore } from './lazy.js';
import { exchangeToken } from './optimizely-credentials.js';
import { openS3, type S3Settings } from './s3.js';
import { openSftp, type SftpSettings } from './sftp.js';
import type { Store } from './store.js';

/** The store of a source, with the credentials that its configuration names. Nothing is connected yet. */
export function openStore(source: SourceConfig, settings: Pick<S3Settings, 'idleTimeout'> = {}): Store {
  const { name } = source;
  if (!hasStore(source)) {
    throw new Failure(
      failureTypes.configInvalid,
      `Source '${name}' has no store: ${source.vendor} sends to us.`,
    );
  }
  const { store } = source;
  return store.type === 'sftp' ? openSftp(serverOf(store)) : openBucket(name, store, settings);
}

type BucketSettings = Extract<StoredSource['store'], { readonly type: 's3' }>;

function openBucket(source: string, store: BucketSettings, settings: Pick<S3Settings, 'idleTimeout'>): Store {
  const server = {
    ...settings,
    region: store.region,
    forcePathStyle: store.forcePathStyle,
    requesterPays: store.requesterPays === true,
    ...(store.endpoint === undefined ? {} : { endpoint: store.endpoint }),
  };
  const token = 'credentials' in store ? store.credentials?.optimizelyToken : undefined;
  if (token === undefined || !('credentialsUrl' in store)) {
    return openS3({ ...server, ...placeOf(source, store), ...keysOf(store) });
  }
  const grant = (): ReturnType<typeof exchangeToken> => exchangeToken(store.credentialsUrl, token.reveal());
  const place = `s3://${store.bucket ?? '(of the Optimizely token)'}/${store.prefix ?? ''}`;
  return lazyStore(place, async () => {
    const first = await grant();
    let unused: typeof first | undefined = first;
    return openS3({
      ...server,
      bucket: store.bucket ?? first.bucket,
      prefix: store.prefix ?? first.prefix,
      // The SDK keeps what this gives until five minutes before it expires, then asks again, in mid-load if need be.
      credentials: async () => {
        const keys = unused ?? (await grant());
        unused = undefined;
        return keys;
      },
    });
  });
}

function serverOf({ password, privateKey, passphrase, ...store }: SftpStoreSettings): SftpSettings {
  const { host, port, username, hostKey, algorithms, root, connections } = store;
  const login =
    privateKey === undefined
      ? { password: password?.reveal() ?? '' }
      : {
          privateKey: privateKey.reveal(),
          ...(passphrase === undefined ? {} : { passphrase: passphrase.reveal() }),
        };
  return { host, port, username, hostKey, algorithms, root, connections, login };
}

function placeOf(source: string, store: BucketSettings): Pick<S3Settings, 'bucket' | 'prefix'> {
  if (store.bucket !== undefined && store.prefix !== undefined) {
    return { bucket: store.bucket, prefix: store.prefix };
  }
  throw new Failure(failureTypes.configInvalid, `Source '${source}' needs store.bucket and store.prefix.`);
}

function keysOf(store: BucketSettings): Pick<S3Settings, 'credentials'> {
  if (store.accessKeyId === undefined || store.secretAccessKey === undefined) return {};
  return {
    credentials: {
      accessKeyId: store.accessKeyId.reveal(),
      secretAccessKey: store.secretAccessKey.reveal(),
      ...(store.sessionToken === undefined ? {} : { sessionToken: store.sessionToken.reveal() }),
    },
  };
}
