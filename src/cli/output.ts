/** Writing data to stdout: in chunks, at the reader's pace. */
import { once } from 'node:events';

const CHUNK_CHARACTERS = 64 * 1024;

/** Joins pieces to chunks and waits whenever the reader lags. Rejects with the stream's error, or when aborted. */
export const writeAll = async (
  stream: NodeJS.WritableStream & { writableNeedDrain?: boolean },
  pieces: Iterable<string>,
  signal?: AbortSignal,
): Promise<void> => {
  let chunk = '';
  for (const piece of pieces) {
    chunk += piece;
    if (chunk.length < CHUNK_CHARACTERS) continue;
    const isTaken = stream.write(chunk);
    chunk = '';
    if (!isTaken) await once(stream, 'drain', { ...(signal ? { signal } : {}) });
  }
  if (chunk !== '' && !stream.write(chunk)) await once(stream, 'drain', { ...(signal ? { signal } : {}) });
};

export function* linesOf(lines: Iterable<string>): Generator<string> {
  for (const line of lines) yield `${line}\n`;
}
