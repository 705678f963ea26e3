import { Failure, failureTypes, isLookedAtAgain } from '../model/failure.js';

/** A file that arrived whole and cannot be read. `word` is a sentence's end that says why, with its full stop. */
export function unreadableFile(key: string, format: string, word: string): Failure {
  const fault = `cannot be read as ${format}: ${word}`;
  return new Failure(failureTypes.fileUnreadable, `${key} ${fault} ${isLookedAtAgain}`, { fault });
}

/** DuckDB's complaint that a file takes more memory than it may have, in our words; undefined for any other error. */
export function tooLittleMemory(error: Error, key: string): Failure | undefined {
  if (!error.message.startsWith('Out of Memory Error')) return undefined;
  return new Failure(
    failureTypes.configInvalid,
    `Reading ${key} takes more memory than worker.memoryLimit allows one reader. Raise it, restart the workers, then ` +
      `reprocess the delivery.`,
  );
}
