/** Receives one line each time something that takes a while begins, goes on or ends. */
export type Progress = (line: string) => void;

/** Says nothing: for callers that show progress in another way. */
export const silently: Progress = () => undefined;

/**
 * Repeats `line` with the seconds gone so far every `everySeconds` until `work` settles, so that a build of
 * several minutes is seen to be alive: "Building the Temporal dev server … 40 s".
 */
export async function whileWorking<T>(
  progress: Progress,
  line: string,
  work: Promise<T>,
  everySeconds = 10,
): Promise<T> {
  progress(`${line}…`);
  const started = Date.now();
  const ticker = setInterval(() => {
    progress(`${line}… ${Math.round((Date.now() - started) / 1000)} s`);
  }, everySeconds * 1000);
  try {
    return await work;
  } finally {
    clearInterval(ticker);
  }
}
