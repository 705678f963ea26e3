/** A line of a JSON shard as JavaScript has it, with whole numbers as texts: JSON.parse by itself rounds ids of 64 bits. */
export function parseLine(line: string): Readonly<Record<string, unknown>> {
  const exact = line.replaceAll(
    /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/g,
    // Strings are matched so that no digits within them are.
    (token) => (/^-?\d+$/.test(token) ? `"${token}"` : token),
  );
  return JSON.parse(exact) as Record<string, unknown>;
}

/** The lines of a shard, without what follows the last line feed. */
export function linesOf(bytes: Buffer): readonly string[] {
  return bytes.toString().split('\n').slice(0, -1);
}
