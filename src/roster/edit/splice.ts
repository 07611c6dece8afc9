/** Lines from `from` up to `to` give way to `put`. Splices of one text do not overlap. */
export interface Splice {
  from: number;
  to: number;
  put: readonly string[];
}

/** New lines end as the text's own do. */
export const spliced = (text: string, splices: readonly Splice[]): string => {
  const lines = text.split('\n');
  const end = text.includes('\r\n') ? '\r' : '';
  for (const { from, to, put } of splices.toSorted((a, b) => b.from - a.from || b.to - a.to))
    lines.splice(from, to - from, ...put.map((line) => (line.endsWith('\r') ? line : `${line}${end}`)));
  return lines.join('\n');
};
