import assert from 'node:assert/strict';
import { inspect } from 'node:util';

import { Failure, type FailureType } from '../../model/failure.js';

interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly bucket?: string;
}

/** An error of this type whose sentence holds these parts in order, and which nowhere shows the secret keys. */
export function failsAs(
  type: FailureType,
  keys: Keys,
  parts: (place: string) => readonly string[],
): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof Failure, inspect(error));
    assert.equal(error.type, type, error.message);
    let from = 0;
    for (const part of parts(`s3://${keys.bucket ?? ''}/v1/account_id=1/`)) {
      const at = error.message.indexOf(part, from);
      assert.notEqual(at, -1, `"${part}" is not in its place in: ${error.message}`);
      from = at + part.length;
    }
    // What travels: the message, the stack, and those of the causes.
    for (let shown: unknown = error; shown instanceof Error; shown = shown.cause) {
      const text = `${shown.message}\n${shown.stack ?? ''}`;
      assert.ok(!text.includes(keys.secretAccessKey), 'the secret key is in the error');
    }
    return true;
  };
}
