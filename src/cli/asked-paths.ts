/** Who is asked: under a context its controller, unless the verb is about this machine, which it then says. */
import type { Paths } from '../runtime/paths.ts';
import { chooseContext, THIS_MACHINE } from './client/contexts.ts';
import type { Parsed } from './parse.ts';
import { UsageError } from './usage-error.ts';

/** Throws UsageError where a context was named that cannot apply, INVALID_ARGUMENT for one that is not there. */
export const askedPaths = (
  { spec, context }: Pick<Parsed & { kind: 'run' }, 'spec' | 'context'>,
  paths: Paths,
  { env, stderr }: { env: NodeJS.ProcessEnv; stderr: NodeJS.WritableStream },
): Paths => {
  if (spec.only === 'contexts') return paths;
  if (spec.only === 'machine' && context !== null && context !== THIS_MACHINE) {
    throw new UsageError(`fleet ${spec.name} is about this machine alone: leave --context ${context} out`);
  }
  const { name } = chooseContext(paths, context, env);
  if (spec.only !== 'machine') return { ...paths, context: name };
  if (name !== null) stderr.write(`fleet ${spec.name}: on this machine; context ${name} is not asked\n`);
  return paths;
};
