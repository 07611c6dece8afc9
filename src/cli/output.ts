/** Writing data to stdout: in chunks, at the reader's pace. */
import { once } from 'node:events';

const CHUNK_CHARACTERS = 64 * 1024;

/**
 * Joins pieces to chunks and waits whenever the reader lags. One that has left is no error. Rejects with any other of the
 * stream, or when aborted.
 */
export const writeAll = async (
  stream: NodeJS.WritableStream & { writableNeedDrain?: boolean },
  pieces: Iterable<string>,
  signal?: AbortSignal,
): Promise<void> => {
  let chunk = '';
  for (const piece of pieces) {
    chunk += piece;
    if (chunk.length < CHUNK_CHARACTERS) continue;
    if (!stream.write(chunk)) await drained(stream, signal);
    chunk = '';
  }
  if (chunk !== '' && !stream.write(chunk)) await drained(stream, signal);
};

const drained = async (stream: NodeJS.WritableStream, signal: AbortSignal | undefined): Promise<void> => {
  try {
    await once(stream, 'drain', signal === undefined ? {} : { signal });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
  }
};

export function* linesOf(lines: Iterable<string>): Generator<string> {
  for (const line of lines) yield `${line}\n`;
}
