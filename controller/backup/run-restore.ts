/** `fleet-controller --restore FILE`: the restore as a program, with what it did in lines for people. */
import { hostname, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { systemClock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { ownFolder } from '../../src/runtime/socket-claim.ts';
import type { ControllerConfig } from '../config.ts';
import { SETTINGS_FILE } from './back-up.ts';
import { type Restored, restore } from './restore.ts';

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

export const restoredLines = ({ about, kept, revoked, settings }: Restored): string[] => {
  const { cell, madeMs, hosts, audit } = about;
  const made = new Date(madeMs).toISOString();
  return [
    `restored cell ${cell} as it was at ${made}: ${hosts} hosts, audit up to record ${audit.sequence}`,
    ...(kept === null ? [] : [`what stood there is kept in ${kept}`]),
    ...(settings ? [] : [`${SETTINGS_FILE} was left as it is`]),
    `hosts enrolled after ${made} must join again; join tokens of before are void`,
    revoked === null
      ? `what was revoked after ${made} is not known: revoke it again`
      : `what was revoked after ${made} stays revoked: ${revoked}`,
  ];
};
