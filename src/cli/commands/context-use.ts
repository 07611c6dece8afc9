import { FleetError } from '../../domain/errors.ts';
import { checkContextName, isContext, THIS_MACHINE } from '../client/contexts.ts';
import type { CommandContext } from '../command.ts';
import { useContext } from '../context/use-context.ts';
import { EXIT } from '../exit-codes.ts';

export const run = async ({ positionals, paths, env, stderr }: CommandContext): Promise<number> => {
  const name = checkContextName(positionals[0] as string);
  if (name !== THIS_MACHINE && !isContext(paths, name)) {
    throw new FleetError('NOT_FOUND', `no context ${name}: fleet context ls lists them, fleet login makes one`);
  }
  await useContext(paths, name === THIS_MACHINE ? null : name);
  stderr.write(
    name === THIS_MACHINE ? 'this machine is asked from now on\n' : `context ${name} is asked from now on\n`,
  );
  if (env.FLEET_CONTEXT) stderr.write(`in this shell FLEET_CONTEXT=${env.FLEET_CONTEXT} still wins\n`);
  return EXIT.done;
};
