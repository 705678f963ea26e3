import type { SourceConfig } from '../config/schema.js';
import { Failure, failureTypes } from '../model/failure.js';
import { lazyStore } from './lazy.js';
import { exchangeToken } from './optimizely-credentials.js';
import { openS3, type S3Settings } from './s3.js';
import type { Store } from './store.js';

/** The store of a source, with the credentials that its configuration names. Nothing is connected yet. */
export function openStore(source: SourceConfig, settings: Pick<S3Settings, 'idleTimeout'> = {}): Store {
  const { store } = source;
  const server = {
    ...settings,
    region: store.region,
    forcePathStyle: store.forcePathStyle,
    ...(store.endpoint === undefined ? {} : { endpoint: store.endpoint }),
  };
  const token = 'credentials' in store ? store.credentials?.optimizelyToken : undefined;
  if (token === undefined || !('credentialsUrl' in store)) {
    return openS3({ ...server, ...placeOf(source), ...keysOf(source) });
  }
  const grant = (): ReturnType<typeof exchangeToken> => exchangeToken(store.credentialsUrl, token.reveal());
  const name = `s3://${store.bucket ?? '(of the Optimizely token)'}/${store.prefix ?? ''}`;
  return lazyStore(name, async () => {
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

function placeOf({ name, store }: SourceConfig): Pick<S3Settings, 'bucket' | 'prefix'> {
  if (store.bucket !== undefined && store.prefix !== undefined) {
    return { bucket: store.bucket, prefix: store.prefix };
  }
  throw new Failure(failureTypes.configInvalid, `Source '${name}' needs store.bucket and store.prefix.`);
}

function keysOf({ store }: SourceConfig): Pick<S3Settings, 'credentials'> {
  if (store.accessKeyId === undefined || store.secretAccessKey === undefined) return {};
  return {
    credentials: {
      accessKeyId: store.accessKeyId.reveal(),
      secretAccessKey: store.secretAccessKey.reveal(),
      ...(store.sessionToken === undefined ? {} : { sessionToken: store.sessionToken.reveal() }),
    },
  };
}
