/** Which hosts an upgrade is for, and how ssh reaches each: those that were named, or all that are remembered. */
import { FleetError } from '../../domain/errors.ts';
import { type HostAgent, hostAgentId } from '../../domain/host-agent.ts';
import type { Paths } from '../../runtime/paths.ts';
import { recallHosts } from './remembered-hosts.ts';
import { parseSshTarget, type SshTarget } from './ssh-target.ts';

export interface UpgradeTarget {
  /** host/user; null for a machine that was named as USER@MACHINE. */
  id: string | null;
  ssh: SshTarget;
}

export interface UpgradePlan {
  /** host/user of this user on this machine, where it is meant, too; it comes first, its controller with it. */
  here: string | null;
  /** In this order. */
  targets: UpgradeTarget[];
  /** Enrolled, but reached by no ssh that is known here. */
  outOfReach: string[];
}

export interface TargetWish {
  /** HOST or USER@MACHINE; none: all. */
  named: readonly string[];
  /** Of the cell. */
  hosts: readonly Pick<HostAgent, 'id' | 'host'>[];
  /** This user's own host-agent. */
  hereId: string | null;
  ssh: { port?: string | undefined; identity?: string | undefined };
}

/** Throws NOT_FOUND for a name that is none, or that no ssh is known to. */
export const upgradePlan = async (paths: Paths, wish: TargetWish): Promise<UpgradePlan> => {
  const { named, hosts, hereId, ssh } = wish;
  const plan: UpgradePlan = { here: null, targets: [], outOfReach: [] };
  const add = (target: UpgradeTarget): void => {
    if (target.id === null || !plan.targets.some(({ id }) => id === target.id)) plan.targets.push(target);
  };
  const addHosts = async (host: string | null): Promise<void> => {
    const enrolled = hosts.filter((each) => host === null || each.host === host);
    const known = new Map(
      (await recallHosts(paths, host)).map((each) => [hostAgentId(each.host, each.user), each.target]),
    );
    for (const { id } of enrolled) {
      const target = known.get(id);
      if (id === hereId) plan.here = id;
      else if (target) add({ id, ssh: withWish(target, ssh) });
      else plan.outOfReach.push(id);
    }
  };
  if (named.length === 0) await addHosts(null);
  for (const name of named) {
    if (name.includes('@')) add({ id: null, ssh: parseSshTarget(name, ssh) });
    else {
      if (!hosts.some(({ host }) => host === name)) throw new FleetError('NOT_FOUND', noSuchHost(name, hosts));
      await addHosts(name);
    }
  }
  if (named.length > 0 && plan.outOfReach.length > 0) {
    throw new FleetError(
      'NOT_FOUND',
      `${plan.outOfReach.join(', ')} was not added over ssh from here: name it as USER@MACHINE`,
    );
  }
  return plan;
};

const withWish = (target: SshTarget, ssh: TargetWish['ssh']): SshTarget => {
  const given = parseSshTarget('machine', ssh);
  return {
    ...target,
    port: given.port ?? target.port,
    identityFile: given.identityFile ?? target.identityFile,
  };
};

const noSuchHost = (name: string, hosts: TargetWish['hosts']): string =>
  `no host is enrolled as ${name}: one of ${[...new Set(hosts.map(({ host }) => host))].join(', ')}, or USER@MACHINE`;
