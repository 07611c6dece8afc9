/**
 * The steps from an agent as it is found to what its roster says, in their order; none where it is so already. Comes in:
 * facts. Goes out: steps, and what is left as it is. Pure, so that a second deploy begins wherever the first one ended.
 */
import { HOLDER_UNIT } from '../../src/domain/holder.ts';
import { comesUpAtBoot } from '../../src/domain/roster.ts';
import { OrderEnd } from '../command/order-end.ts';
import { agentUnitText, holderUnitText, sharedAgentUnitText } from '../launch/agent-unit.ts';
import type { LaunchGround } from '../launch/launch-paths.ts';
import type { AgentFacts } from './agent-facts.ts';
import { envText } from './env-text.ts';

export type DeployStep =
  /** By whatever it is run by now, before that changes. */
  | { is: 'stop' }
  /** Its env file names the socket of its layout of before, which outranks the roster. */
  | { is: 'free-socket' }
  | { is: 'write-env'; text: string }
  /** `keep`: the file of before is somebody's, and stays beside it. */
  | { is: 'write-unit'; text: string; keep: boolean }
  | { is: 'delete-unit' }
  | { is: 'write-holder'; text: string }
  | { is: 'disable'; units: readonly string[] }
  | { is: 'enable'; units: readonly string[] }
  | { is: 'reload' }
  | { is: 'linger' }
  | { is: 'start' | 'restart' };

export interface DeployPlan {
  steps: DeployStep[];
  /** What is left as it is, and why. */
  notes: string[];
}

export interface DeployWish {
  force: boolean;
  migrate: boolean;
}

/** Unit files of which systemd makes no links for the boot. */
const NO_INSTALL = ['static', 'generated', 'transient'];

/** Throws OrderEnd `refused` where it must not be done. */
export const planDeploy = (facts: AgentFacts, wish: DeployWish, ground: LaunchGround): DeployPlan => {
  const { agent, unit, file, session } = facts;
  if (unit.loadState === 'masked' || file.state === 'masked')
    throw new OrderEnd('refused', `its unit is masked: systemctl --user unmask ${unit.name}`);
  const isMoving = session === 'elsewhere';
  const leaves = leavesShared(facts);
  if (leaves !== null && !wish.migrate) throw new OrderEnd('refused', leaves);
  const files = unitSteps(facts, wish, ground);
  const isNewFile = files.some(({ is }) => is === 'write-unit' || is === 'delete-unit');
  const isTheirs = files.length === 0 && facts.own.kind !== 'isolated' && facts.own.kind !== 'shared';
  const boot = bootSteps(facts, files, isTheirs);
  const isReload = isNewFile || file.needsReload || boot.steps.length > 0 || files.length > 0;
  const run = runStep(facts, isNewFile);
  const steps: DeployStep[] = [
    ...(isMoving ? [{ is: 'stop' } as const] : []),
    ...(leaves !== null && envNamesAnother(facts) ? [{ is: 'free-socket' } as const] : []),
    ...(facts.hasEnvFile ? [] : [{ is: 'write-env', text: envText(agent, isTheirs, ground.home) } as const]),
    ...boot.steps.filter(({ is }) => is === 'disable'),
    ...files,
    ...boot.steps.filter(({ is }) => is === 'enable'),
    ...(isReload ? [{ is: 'reload' } as const] : []),
    ...(facts.isLingering ? [] : [{ is: 'linger' } as const]),
    ...(run.step === null ? [] : [{ is: run.step } as const]),
  ];
  return { steps, notes: [...boot.notes, ...run.notes, ...(isTheirs ? [] : dropInWords(facts))] };
};

/** What fleet did not write and does not change, and what may be why its unit is not what fleet made it. */
const dropInWords = ({ dropIns }: AgentFacts): string[] =>
  dropIns.length === 0 ? [] : [`its unit is also what these say: ${dropIns.join(', ')}`];

/** Which files its unit is made of. */
const unitSteps = (facts: AgentFacts, { force }: DeployWish, ground: LaunchGround): DeployStep[] => {
  const { agent, own, unit } = facts;
  if (agent.layout === 'isolated') {
    if (own.kind === 'theirs' && !force)
      throw new OrderEnd(
        'refused',
        `${unit.name} has a file that fleet did not write: --force keeps it beside the new one`,
      );
    return written(own, agentUnitText(agent, ground), own.kind === 'theirs');
  }
  // Whoever has units of that layout keeps them as they are.
  if (own.kind === 'theirs') return [];
  if (own.kind === 'isolated' && facts.hasTemplate) return [{ is: 'delete-unit' }];
  if (own.kind === 'none' && unit.loadState !== 'not-found') return [];
  const holder = facts.holder.loadState === 'not-found';
  return [
    ...(holder ? [{ is: 'write-holder', text: holderUnitText(ground) } as const] : []),
    ...written(own, sharedAgentUnitText(agent, ground), false),
  ];
};

const written = (own: AgentFacts['own'], text: string, keep: boolean): DeployStep[] =>
  own.text === text ? [] : [{ is: 'write-unit', text, keep }];

/** `isTheirs`: nothing of its unit is fleet's, which then takes nothing back that its owner enabled. */
const bootSteps = (facts: AgentFacts, files: readonly DeployStep[], isTheirs: boolean): DeployPlan => {
  const { agent, unit, file, holder } = facts;
  const isOn = file.state === 'enabled';
  if (!comesUpAtBoot(agent)) {
    return { steps: isOn && !isTheirs ? [{ is: 'disable', units: [unit.name] }] : [], notes: [] };
  }
  if (isTheirs && NO_INSTALL.includes(file.state ?? ''))
    return { steps: [], notes: [`its unit is ${file.state}: nothing says that it comes up at boot`] };
  // A link that leads to the file of before is no link to the new one.
  const isRelinked = isOn && files.length > 0 && facts.own.kind !== agent.layout;
  const isHolderOff = holder.state === 'disabled' || files.some(({ is }) => is === 'write-holder');
  const units = [
    ...(agent.layout === 'shared' && isHolderOff ? [HOLDER_UNIT] : []),
    ...(isOn && !isRelinked ? [] : [unit.name]),
  ];
  const steps: DeployStep[] = [];
  if (isRelinked) steps.push({ is: 'disable', units: [unit.name] });
  if (units.length > 0) steps.push({ is: 'enable', units });
  return { steps, notes: [] };
};

const runStep = (facts: AgentFacts, isNewFile: boolean): { step: 'start' | 'restart' | null; notes: string[] } => {
  const { agent, session, launch, file, own, hasEnvFile } = facts;
  if (session === 'elsewhere') return { step: 'start', notes: [] };
  if (session === 'outside')
    return { step: null, notes: [`it runs outside of its unit: fleet restart ${agent.name} --force starts it by it`] };
  if (session === 'none') {
    const isFirst = launch === 'never' || (launch === 'unknown' && (!hasEnvFile || file.state !== 'enabled'));
    if (agent.lifecycle !== 'ephemeral' || isFirst) return { step: 'start', notes: [] };
    return { step: null, notes: [`an ephemeral worker that ran already: fleet start ${agent.name} runs it again`] };
  }
  const isOurs = own.kind === 'isolated' || own.kind === 'shared';
  const isNewer = isOurs && file.activeSinceMs !== null && own.changedMs > file.activeSinceMs;
  return { step: isNewFile || file.needsReload || isNewer || launch === 'other' ? 'restart' : null, notes: [] };
};

const envNamesAnother = ({ agent, envSocket }: AgentFacts): boolean =>
  envSocket !== undefined && envSocket !== agent.socketName;

/** What of the shared layout only a migration ends, in words; null: nothing. One that is down may still be told to go there. */
const leavesShared = (facts: AgentFacts): string | null => {
  const { agent, roster, session, envSocket } = facts;
  if (agent.layout !== 'isolated') return null;
  if (session === 'elsewhere') return 'it runs on a shared tmux server: --migrate gives it one of its own';
  const others = roster.agents.filter(({ layout }) => layout === 'shared').map(({ socketName }) => socketName);
  const isTheirs = envSocket !== undefined && [null, roster.socketName, ...others].includes(envSocket);
  return session === 'none' && isTheirs && envNamesAnother(facts)
    ? 'its env file still names a tmux socket that others share: --migrate takes that line out'
    : null;
};

/** Whether a deploy would change something, other than by starting what does not run; null: it would not. */
export const undeployedOf = ({ steps }: DeployPlan): { reason: string; restart: boolean } | null => {
  const kinds = new Set(steps.map(({ is }) => is));
  const restart = kinds.has('restart');
  if (kinds.has('write-unit')) return { reason: 'its unit is not written as it should be', restart };
  if (restart) return { reason: 'it runs as the roster said before', restart };
  if (kinds.has('delete-unit')) return { reason: 'its unit is not written as it should be', restart };
  if (kinds.has('disable')) return { reason: 'it is enabled, and an ephemeral worker', restart };
  return null;
};
