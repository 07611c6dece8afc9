/** `fleet-controller --restore FILE`: the restore as a program, with what it did in lines for people. */
import { hostname, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { systemClock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { ownFolder } from '../../src/runtime/socket-claim.ts';
import type { ControllerConfig } from '../config.ts';
import { SETTINGS_FILE } from './back-up.ts';
import type { KeptDenials } from './keep-denials.ts';
import { type Restored, restore } from './restore.ts';
import { standingWords } from './what-stands.ts';

export const runRestore = async (path: string, { paths, force }: ControllerConfig, log: Logger): Promise<void> => {
  ownFolder(paths.state);
  const restored = await restore(resolve(path), {
    folder: join(paths.state, 'controller'),
    settingsPath: join(paths.config, SETTINGS_FILE),
    clock: systemClock,
    log: log.child({ component: 'restore' }),
    actor: `local:${userInfo().username}@${hostname()}`,
    force,
  });
  process.stdout.write(
    restoredLines(restored)
      .map((line) => `${line}\n`)
      .join(''),
  );
};

export const restoredLines = ({ about, signing, kept, denials, stands, withdrawn, settings }: Restored): string[] => {
  const { cell, madeMs, hosts, audit, fingerprint } = about;
  const made = new Date(madeMs).toISOString();
  return [
    `restored cell ${cell} as it was at ${made}: ${hosts} hosts, audit up to record ${audit.sequence}`,
    ...(kept === null ? [] : [`what stood there is kept in ${kept}`]),
    ...(signing === fingerprint
      ? []
      : [
          `authority ${signing.slice(0, 12)} signs, to which the cell went over after ${made}; the one before stays given up`,
        ]),
    ...(settings ? [] : [`${SETTINGS_FILE} was left as it is`]),
    `hosts enrolled after ${made} must join again; join tokens and invitations of before are void`,
    ...(withdrawn === 0 ? [] : [`rosters that waited for ${withdrawn} hosts that were away are withdrawn`]),
    denials === null ? unknownAfter(made) : `what was taken away after ${made} stays so: ${wordsOf(denials)}`,
    ...standingWords(stands ?? []),
  ];
};

const unknownAfter = (made: string): string =>
  `what was taken away after ${made} is not known and stands again: revoke hosts, people, peers and grants anew, ` +
  'remove tenants, quarantine hosts, allow them less, and bind users to tenants, as you did since';

const wordsOf = ({ revoked, quarantined, narrowed, moved, removed }: KeptDenials): string =>
  `${revoked} revoked, ${quarantined} in quarantine, ${narrowed} allowed less, ${moved} of another tenant, ${removed} tenants removed`;
