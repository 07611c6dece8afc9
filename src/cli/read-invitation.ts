/** An invitation as it comes on stdin: pasted by a person, or from a file. */
import type { CommandContext } from './command.ts';
import { UsageError } from './usage-error.ts';

const MAX_TOKEN_CHARACTERS = 16_384;

/** From stdin, to its end; it is a secret, and no argument. Throws UsageError for what is too long to be one. */
export const readInvitation = async ({ stdin, stderr }: CommandContext): Promise<string> => {
  if (stdin.isTTY) stderr.write('paste the invitation, then Enter and Ctrl-D:\n');
  let text = '';
  for await (const chunk of stdin.setEncoding('utf8')) {
    text += chunk;
    if (text.length > MAX_TOKEN_CHARACTERS) throw new UsageError('what came on stdin is no invitation: too long');
  }
  return text;
};
