import { FleetError } from '../../domain/errors.ts';
import { removeContext } from '../client/context-files.ts';
import { checkContextName, contextFolder, currentContext, isContext } from '../client/contexts.ts';
import type { CommandContext } from '../command.ts';
import { confirm } from '../confirm.ts';
import { useContext } from '../context/use-context.ts';
import { EXIT } from '../exit-codes.ts';

export const run = async (context: CommandContext): Promise<number> => {
  const { positionals, paths, stderr } = context;
  const name = checkContextName(positionals[0] as string);
  if (!isContext(paths, name)) throw new FleetError('NOT_FOUND', `no context ${name}: fleet context ls lists them`);
  await confirm(context, `remove context ${name} and its key?`);
  if (currentContext(paths) === name) await useContext(paths, null);
  await removeContext(contextFolder(paths, name));
  stderr.write(`context ${name} and its key are gone; an admin ends the identity: fleet operator revoke\n`);
  return EXIT.done;
};
