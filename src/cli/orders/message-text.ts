/** The text of a message, from arguments or, for a lone `-`, from stdin. Throws UsageError; nothing is kept of it. */
import { UsageError } from '../usage-error.ts';

/** More is a file: put it where the agent can read it, and send its path. */
export const MAX_MESSAGE_BYTES = 256 * 1024;

export const messageText = async (
  words: readonly string[],
  stdin: () => NodeJS.ReadStream,
  tell: (words: string) => void,
): Promise<string> => {
  const text = words.length === 1 && words[0] === '-' ? await textOf(stdin(), tell) : words.join(' ');
  if (Buffer.byteLength(text) > MAX_MESSAGE_BYTES) throw tooLong();
  // What a terminal would not show is not typed either.
  if (text.replace(/[\p{Cc}\s]/gu, '') === '') throw new UsageError('the message is empty: nothing to send');
  return text;
};

const textOf = async (stdin: NodeJS.ReadStream, tell: (words: string) => void): Promise<string> => {
  if (stdin.isTTY) tell('type the message; ctrl-d on a line of its own sends it, ctrl-c does not');
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stdin as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > MAX_MESSAGE_BYTES + 2) throw tooLong();
  }
  // A file ends with a line end, a message does not.
  return decoded(Buffer.concat(chunks)).replace(/\r?\n$/, '');
};

const decoded = (bytes: Buffer): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new UsageError('stdin is no UTF-8 text: nothing was sent');
  }
};

const tooLong = (): UsageError =>
  new UsageError(
    `the message is longer than ${MAX_MESSAGE_BYTES / 1024} KiB: write it to a file of the agent’s machine and send its path`,
  );
