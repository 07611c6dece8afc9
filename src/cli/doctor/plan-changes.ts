/**
 * Findings with a mend as data, as single changes of this machine: what each is called, and the command that does the same
 * by hand. What is not understood, or reaches beyond this user's own, is no change.
 */
import { userInfo } from 'node:os';
import { basename, join } from 'node:path';
import { type FixKind, type SessionTarget, sessionTarget, sessionTargetId } from '../../domain/fix.ts';
import type { Paths } from '../../runtime/paths.ts';
import { shellWord } from '../../runtime/quote.ts';
import type { Finding } from '../../wire/gen/fleet/v1/view.ts';
import { hostPolicyFile } from '../install/host-policy.ts';

export interface Change {
  check: string;
  kind: FixKind;
  /** The unit, the user or the path; of a session its exact id, which a person types to mean it. */
  target: string;
  /** A person's own way to the same. */
  command: string;
  session: SessionTarget | null;
}

export interface Plan {
  changes: Change[];
  /** What only a person can mend. */
  byHand: Finding[];
}

export const planChanges = (findings: readonly Finding[], paths: Paths): Plan => {
  const changes = new Map<string, Change>();
  const byHand: Finding[] = [];
  for (const finding of findings) {
    if (finding.outcome === 'ok' || finding.outcome === 'unknown') continue;
    const made = changesOf(finding, paths);
    if (made.length === 0) byHand.push(finding);
    for (const change of made) changes.set(`${change.kind}\n${change.target}`, change);
  }
  return { changes: [...changes.values()], byHand };
};

/** Names as systemd takes them; one that began with a dash would be an option. */
const UNIT = /^[A-Za-z0-9:_.\\@][A-Za-z0-9:_.\\@-]*\.service$/;

const changesOf = ({ check, fix }: Finding, paths: Paths): Change[] => {
  const change = (kind: FixKind, target: string, ...words: string[]): Change[] => [
    { check, kind, target, command: words.map(shellWord).join(' '), session: null },
  ];
  const targets = fix?.targets ?? [];
  switch (fix?.kind) {
    case 'enable-unit':
      if (!targets.every((unit) => UNIT.test(unit))) return [];
      return targets.flatMap((unit) => change('enable-unit', unit, 'systemctl', '--user', 'enable', unit));
    case 'reload-units':
      return change('reload-units', '', 'systemctl', '--user', 'daemon-reload');
    case 'enable-linger': {
      const { username } = userInfo();
      return targets.every((user) => user === username)
        ? change('enable-linger', username, 'loginctl', 'enable-linger', username)
        : [];
    }
    case 'close-path':
      if (!targets.every((path) => ownPaths(paths).includes(path))) return [];
      return targets.flatMap((path) => change('close-path', path, 'chmod', 'go-rwx', path));
    case 'end-session':
      return sessionChange(check, sessionTarget(targets), paths);
    default:
      return [];
  }
};

const ownPaths = (paths: Paths): string[] => [
  paths.run,
  paths.state,
  join(paths.state, 'host-agent'),
  paths.config,
  hostPolicyFile(paths),
];

/** Through tmux's own folder only, whose owner tmux itself checks. */
const sessionChange = (check: string, session: SessionTarget | null, paths: Paths): Change[] => {
  if (session === null) return [];
  const label = basename(session.socket);
  if (session.socket !== join(paths.tmuxTmpdir, `tmux-${userInfo().uid}`, label)) return [];
  const command = ['tmux', '-L', label, 'kill-session', '-t', session.sessionId].map(shellWord).join(' ');
  return [{ check, kind: 'end-session', target: sessionTargetId(session), command, session }];
};
