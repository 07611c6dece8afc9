/** Reads small files that somebody else owns and may replace by anything: never blocks on a FIFO, never reads without end. */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

export type FileText =
  | { kind: 'text'; text: string; mtimeMs: number }
  | { kind: 'missing' }
  /** `words` says why, without the path: `is a symbolic link`, `may not be read (EACCES)` … */
  | { kind: 'unreadable'; words: string };

export interface ReadLimits {
  maxBytes: number;
  /** false refuses a symbolic link as the last part of the path. */
  followLinks: boolean;
}

const words = (error: unknown): FileText => {
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
  if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'missing' };
  if (code === 'ELOOP') return { kind: 'unreadable', words: 'is a symbolic link' };
  if (code === 'ENXIO') return { kind: 'unreadable', words: 'is no regular file' };
  return { kind: 'unreadable', words: `may not be read (${code})` };
};

const readUpTo = async (file: FileHandle, maxBytes: number): Promise<Buffer> => {
  const buffer = Buffer.allocUnsafe(maxBytes + 1);
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
};

/** Never rejects. UTF-8; bytes that are none become U+FFFD; a byte order mark is dropped. */
export const readFileText = async (path: string, limits: ReadLimits): Promise<FileText> => {
  const noFollow = limits.followLinks ? 0 : constants.O_NOFOLLOW;
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY | noFollow);
  } catch (error) {
    return words(error);
  }
  try {
    const stat = await file.stat();
    if (!stat.isFile()) return { kind: 'unreadable', words: 'is no regular file' };
    const bytes = await readUpTo(file, Math.min(limits.maxBytes, stat.size + 4_096));
    if (stat.size > limits.maxBytes || bytes.length > limits.maxBytes)
      return { kind: 'unreadable', words: `is larger than ${limits.maxBytes} bytes` };
    return { kind: 'text', text: new TextDecoder().decode(bytes), mtimeMs: stat.mtimeMs };
  } catch (error) {
    return words(error);
  } finally {
    await file.close().catch(() => {});
  }
};
