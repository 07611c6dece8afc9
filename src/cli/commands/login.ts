/** `fleet login`: an invitation becomes a context, with a key that is made here. */
import { cleanText } from '../../domain/clean-text.ts';
import { FleetError } from '../../domain/errors.ts';
import { parseToken } from '../../identity/token.ts';
import type { Paths } from '../../runtime/paths.ts';
import { askHostAgent } from '../ask.ts';
import { readContext } from '../client/context-files.ts';
import { checkContextName, contextFolder, currentContext, isContext, THIS_MACHINE } from '../client/contexts.ts';
import { joinAsOperator } from '../client/join-as-operator.ts';
import { whoAmI } from '../client/methods.ts';
import type { CommandContext } from '../command.ts';
import { useContext } from '../context/use-context.ts';
import { EXIT } from '../exit-codes.ts';
import { readEnrolment } from '../install/enrolment.ts';
import { readInvitation } from '../read-invitation.ts';
import { UsageError } from '../usage-error.ts';
import { whoAmILines } from './whoami.ts';

const ASK_DEADLINE_MS = 10_000;

export const run = async (command: CommandContext): Promise<number> => {
  const { positionals, paths, stdout, stderr, signal } = command;
  const [given = ''] = positionals;
  const token = parseToken(given === '-' ? await readInvitation(command) : given, 'operator');
  const name = checkContextName(command.named ?? token.cell);
  if (name === THIS_MACHINE) throw new UsageError('a context cannot be called local: name it with --context');
  await refuseOther(paths, name);
  await joinAsOperator(token, contextFolder(paths, name), signal);
  const note = await settleUse(paths, name);
  const here = { ...paths, context: name };
  const answer = await askHostAgent(here, whoAmI, {}, { deadlineMs: ASK_DEADLINE_MS, signal });
  stdout.write(
    whoAmILines(here, answer)
      .map((line) => `${cleanText(line)}\n`)
      .join(''),
  );
  stderr.write(`${note}\n`);
  return EXIT.done;
};

const refuseOther = async (paths: Paths, name: string): Promise<void> => {
  if (!isContext(paths, name)) return;
  const { operator, cell } = await readContext(paths, name);
  throw new FleetError(
    'ALREADY_EXISTS',
    `context ${name} is ${operator} of cell ${cell} already: --context NAME makes another, fleet context rm ${name} removes it`,
  );
};

/** What is in use stays so; agents of this user, where it has a host-agent, go on asking that. */
const settleUse = async (paths: Paths, name: string): Promise<string> => {
  const present = currentContext(paths);
  if (present !== null) return `context ${present} is still the one in use: fleet context use ${name}`;
  if ((await readEnrolment(paths)) !== null) {
    return (
      `this machine’s host-agent is still the one that is asked: fleet --context ${name} ps, or fleet context use ${name}. ` +
      'Every agent of this user can use the context, too'
    );
  }
  await useContext(paths, name);
  return `context ${name} is in use: fleet ps`;
};
