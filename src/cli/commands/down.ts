/** `fleet down`: ends the two daemons of this user on this machine. Sessions, linger and data stay as they are. */

import type { Paths } from '../../runtime/paths.ts';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { type Daemons, DetachedDaemons, UnitDaemons } from '../install/daemons.ts';
import { exclusively } from '../install/exclusive.ts';
import { done, Steps, unchanged } from '../install/steps.ts';
import { UserManager } from '../install/user-manager.ts';
import { stopDetachedTunnels } from '../ssh/tunnel.ts';
import { refuseRoot } from './up.ts';

export const run = async ({ paths, stderr }: CommandContext): Promise<number> => {
  refuseRoot(paths);
  const steps = new Steps(stderr);
  return exclusively(paths, async () => {
    const daemons = await runningUnder(paths);
    // The host-agent first: its controller hears a clean good-bye.
    for (const name of ['host-agent', 'controller'] as const) {
      await steps.run(name, async () => ((await daemons.stop(name)) ? done('stopped') : unchanged('was not running')));
    }
    await stopDetachedTunnels(paths);
    steps.note('sessions and data are as they were; next: fleet up');
    return EXIT.done;
  });
};

const runningUnder = async (paths: Paths): Promise<Daemons> => {
  const manager = new UserManager();
  if (paths.instance === null && (await manager.isReachable())) return new UnitDaemons(manager, '', paths);
  return new DetachedDaemons(paths, { bin: '', versionId: '' });
};
