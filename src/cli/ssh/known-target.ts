/** A host that was added from here, or USER@MACHINE, as a target of ssh. */
import { FleetError } from '../../domain/errors.ts';
import type { Paths } from '../../runtime/paths.ts';
import { recallHosts } from './remembered-hosts.ts';
import { parseSshTarget, type SshTarget, targetText } from './ssh-target.ts';

export interface TargetOptions {
  port?: string | undefined;
  identity?: string | undefined;
}

/** Throws NOT_FOUND where nothing or too much is remembered of it; `otherwise` says what can be done in the first case. */
export const knownTarget = async (
  paths: Paths,
  named: string,
  { port, identity }: TargetOptions,
  otherwise: string,
): Promise<SshTarget> => {
  const options = { ...(port === undefined ? {} : { port }), ...(identity === undefined ? {} : { identity }) };
  if (named.includes('@')) return parseSshTarget(named, options);
  const [host = '', user] = named.split('/');
  const known = (await recallHosts(paths, host)).filter((each) => user === undefined || each.user === user);
  const [only] = known;
  if (only && known.length === 1) {
    const given = parseSshTarget('machine', options);
    const { target } = only;
    return { ...target, port: given.port ?? target.port, identityFile: given.identityFile ?? target.identityFile };
  }
  const why =
    known.length === 0
      ? `${named} was not added over ssh from here: ${otherwise}`
      : `${named} has several users: name one as USER@MACHINE (${known.map(({ target }) => targetText(target)).join(', ')})`;
  throw new FleetError('NOT_FOUND', why);
};
