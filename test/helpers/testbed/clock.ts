/**
 * A host's own clock. The kernel's is one for all hosts, so a library stands between the programs and it: every service
 * of a user manager (daemons, tmux servers, agents) runs on the moved clock, monotonic time untouched.
 * PROBLEM: systemd's own programs fail under the library (their event loop gets EINVAL; libfaketime 0.9.10, systemd
 * 252). So the managers and login shells keep the machine's clock, and unit timestamps are on that one.
 */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './run-command.ts';

const LIBRARY = '/usr/local/lib/libfaketimeMT.so.1';
const OFFSET_FILE = '/etc/faketimerc';

const ENVIRONMENT = [
  `LD_PRELOAD=${LIBRARY}`,
  'FAKETIME_DONT_FAKE_MONOTONIC=1',
  'DONT_FAKE_MONOTONIC=1',
  'FAKETIME_CACHE_DURATION=1',
];

/** Before the first boot. */
export const prepareClock = async (root: string): Promise<void> => {
  const files = await run(['dpkg', '-L', 'libfaketime']);
  const library = files.split('\n').find((path) => path.endsWith('/libfaketimeMT.so.1'));
  if (library === undefined) throw new Error('the package libfaketime has no libfaketimeMT.so.1');
  copyFileSync(library, join(root, LIBRARY));
  writeFileSync(join(root, OFFSET_FILE), '+0\n');
  mkdirSync(join(root, 'etc/systemd/user.conf.d'), { recursive: true });
  const defaults = `[Manager]\nDefaultEnvironment=${ENVIRONMENT.join(' ')}\n`;
  writeFileSync(join(root, 'etc/systemd/user.conf.d/clock.conf'), defaults);
};

/** Command, run as the host's root, that puts the host's clock `offsetMs` from the true time. Seen within 1 s. */
export const moveClockCommand = (offsetMs: number): string => {
  const seconds = Math.round(offsetMs / 1_000);
  return `printf '%s\\n' '${seconds < 0 ? '' : '+'}${seconds}' > ${OFFSET_FILE}`;
};
