/** Where a vendor's files lie. The smallest interface that lets S3 and SFTP plug in. */

/** One object of a store. Its identity is the key and the version together: a rewritten key is another file. */
export interface StoredFile {
  readonly key: string;
  /** ETag without quotes (S3), or `size-mtime` (SFTP). */
  readonly version: string;
  /** Bytes. */
  readonly size: number;
  /** Epoch milliseconds. */
  readonly modified: number;
}

/** One page of a listing, so that a listing of any length is never held whole. */
export interface ListingPage {
  readonly files: readonly StoredFile[];
  /** Folders directly below the prefix, with their final slash; only when listing one level. */
  readonly folders: readonly string[];
}

export interface ListOptions {
  /** `level`: only what lies directly below the prefix. `deep` (default): everything below it. */
  readonly depth?: 'deep' | 'level';
  readonly signal?: AbortSignal;
}

export interface FetchOptions {
  readonly signal?: AbortSignal;
  /** Called with the number of bytes as they arrive. */
  readonly onBytes?: (count: number) => void;
}

export interface Store {
  /** What a person knows the store by, without secrets: `s3://bucket/prefix`. */
  readonly name: string;
  /**
   * Lists below `prefix`, which is relative to the configured root and ends with `/` (or is empty), in key order.
   * Keys come back relative to the same root.
   */
  list(prefix: string, options?: ListOptions): AsyncIterable<ListingPage>;
  /**
   * Writes exactly the listed version of a file to `path`, resuming where a connection was cut. May be repeated.
   * Throws `FileChanged` when the store no longer holds that version.
   */
  fetch(file: StoredFile, path: string, options?: FetchOptions): Promise<void>;
  /** Deletes a file, whatever version of it is there; one that is gone is no error. */
  remove(file: StoredFile, options?: { readonly signal?: AbortSignal }): Promise<void>;
  close(): Promise<void>;
}
