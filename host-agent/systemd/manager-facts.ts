/**
 * What a user's systemd manager says of itself: its version, the folders from which it reads units, and the units of our own
 * daemons. Asked once; null where there is nobody to ask.
 */
import type { ManagerFacts } from '../inventory/source.ts';
import { Bus } from './bus.ts';
import { Manager } from './manager.ts';
import { readMatching } from './read-units.ts';

const OWN_DAEMONS = ['fleet-host-agent.service', 'fleet-controller.service', 'fleet-tunnel@*.service'];

export const managerFacts = async (busPath: string): Promise<ManagerFacts | null> => {
  let bus: Bus | null = null;
  try {
    bus = await Bus.open(busPath);
    const manager = new Manager(bus);
    const [version, unitPath, daemons] = await Promise.all([
      manager.own('Version'),
      manager.own('UnitPath'),
      readMatching(manager, OWN_DAEMONS, []),
    ]);
    return {
      version: typeof version === 'string' ? version : '?',
      unitPath: Array.isArray(unitPath) ? unitPath.map(String) : [],
      daemons: [...daemons.values()],
    };
  } catch {
    return null;
  } finally {
    bus?.close();
  }
};
