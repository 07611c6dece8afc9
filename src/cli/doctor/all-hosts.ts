/**
 * Every host-agent that the caller may see, asked at the same time, each within a deadline of its own. One that cannot be
 * asked is a finding, and delays no other.
 */
import { cleanText } from '../../domain/clean-text.ts';
import { hostAgentView } from '../../domain/make-views.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { Paths } from '../../runtime/paths.ts';
import type { Finding } from '../../wire/gen/fleet/v1/view.ts';
import { takeSnapshot } from '../client/snapshot.ts';
import type { ViewMirror } from '../client/view-mirror.ts';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { linkWords } from '../render/agents-table.ts';
import { jsonText } from '../render/json.ts';
import { painterFor } from '../render/paint.ts';
import { askFindings } from './ask-findings.ts';
import { anyFailed, findingLines, findingObject } from './finding-text.ts';

/** A little more than the controller gives a host. */
const EACH_MS = 10_000;
const AT_ONCE = 32;

export interface HostFindings {
  /** `host/user`. */
  id: string;
  here: boolean;
  /** Its host-agent answered. */
  asked: boolean;
  findings: Finding[];
}

/** Throws UNAVAILABLE where no host-agent answers here: there is nobody to ask about the others. */
export const diagnoseAll = async ({ paths, flags, stdout, stderr, env, signal }: CommandContext): Promise<number> => {
  const clock = systemClock;
  const mirror = await takeSnapshot(paths, { localOnly: false, hostsOnly: true, clock, signal });
  const all = await askEach(paths, mirror, signal);
  const complete = all.every(({ asked }) => asked);
  if (flags.output === 'json') {
    const hosts = all.map(({ id, here, asked, findings }) => ({
      host: id.slice(0, id.indexOf('/')),
      user: id.slice(id.indexOf('/') + 1),
      here,
      asked,
      findings: findings.map(findingObject),
    }));
    stdout.write(`${jsonText({ schema: 'fleet.host-findings/v1', complete, hosts })}\n`);
  } else {
    const paint = painterFor(stdout, env);
    for (const { id, here, findings } of all) {
      stdout.write(`${paint('strong', cleanText(id))}${here ? '  this host' : ''}\n`);
      stdout.write(findingLines(findings, paint, '  ').join(''));
    }
    stderr.write(`${summary(all)}\n`);
  }
  if (!complete) return EXIT.partial;
  return all.some(({ findings }) => anyFailed(findings)) ? EXIT.failed : EXIT.done;
};

/** This host first, then by name. */
const askEach = async (paths: Paths, mirror: ViewMirror, signal: AbortSignal): Promise<HostFindings[]> => {
  const moments = [...mirror.hostAgentIds()]
    .flatMap((id) => mirror.momentOf(id, systemClock.monotonicMs()) ?? [])
    // Those of other cells are asked by their own.
    .filter(({ host }) => host.cell === mirror.cell)
    .sort((a, b) => Number(b.host.here) - Number(a.host.here) || (a.host.id < b.host.id ? -1 : 1));
  const answers: HostFindings[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let at = next++; at < moments.length; at = next++) {
      const moment = moments[at]!;
      const { id, here } = moment.host;
      answers[at] = await askFindings(paths, here ? '' : id, signal, EACH_MS).then(
        ({ answered, findings }) => ({ id, here, asked: answered, findings }),
        (error: Error) => {
          signal.throwIfAborted();
          const finding = cannotBeAsked(id, linkWords(hostAgentView(moment)), error.message);
          return { id, here, asked: false, findings: [finding] };
        },
      );
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return answers;
};

const cannotBeAsked = (id: string, link: string, why: string): Finding => ({
  check: 'host-agent',
  outcome: 'failed',
  what: `cannot be asked: ${link}`,
  why,
  mend: `is ${id.slice(0, id.indexOf('/'))} on, and does its network reach the controller? on it: fleet doctor`,
});

const summary = (all: readonly HostFindings[]): string => {
  const findings = all.flatMap((host) => host.findings);
  const count = (outcome: string) => findings.filter((finding) => finding.outcome === outcome).length;
  const asked = all.filter((host) => host.asked).length;
  const hosts = `${all.length} host-agent${all.length === 1 ? '' : 's'}, ${asked} asked`;
  return `${hosts} · ${count('failed')} failed, ${count('warning')} warnings`;
};
