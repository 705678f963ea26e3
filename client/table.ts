export interface TableColumn<T> {
  readonly title: string;
  readonly cell: (row: T) => string | number | undefined;
}

/**
 * Aligned columns, numbers to the right with their thousands apart. The last column is cut where `width` (columns of a
 * terminal) ends; without a width nothing is cut.
 */
export function writeTable<T>(
  rows: readonly T[],
  columns: readonly TableColumn<T>[],
  width?: number,
): string {
  const cells = rows.map((row) => columns.map(({ cell }) => cell(row)));
  const texts = cells.map((line) => line.map((value) => writeCell(value)));
  const widths = columns.map(({ title }, index) =>
    Math.max(title.length, ...texts.map((line) => line[index]?.length ?? 0)),
  );
  const isNumeric = columns.map(
    (_, index) =>
      cells.some((line) => typeof line[index] === 'number') &&
      cells.every((line) => typeof line[index] !== 'string'),
  );
  const lines = [columns.map(({ title }) => title), ...texts].map((line) =>
    line
      .map((text, index) =>
        isNumeric[index] ? text.padStart(widths[index] ?? 0) : text.padEnd(widths[index] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
  return lines.map((line) => (width === undefined ? line : cut(line, width))).join('\n');
}

export function writeCell(value: string | number | undefined): string {
  if (value === undefined) return '-';
  return typeof value === 'number' ? value.toLocaleString('en-US') : value.replaceAll(/\s*\n\s*/g, ' ');
}

function cut(line: string, width: number): string {
  return line.length <= width ? line : `${line.slice(0, Math.max(0, width - 1))}…`;
}
