/**
 * A host's own clock. The kernel's wall clock is one for all hosts, so a few lines of C stand between every program of
 * the host, its first process included, and that clock. Monotonic time, sleeps and the stamps of files stay the
 * kernel's; programs without a dynamic libc (Go) are not reached.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './run-command.ts';

const SOURCE = join(import.meta.dirname, '../../fixtures/host-clock.c');
const LIBRARY = '/usr/local/lib/host-clock.so';
const OFFSET_FILE = '/etc/host-clock';

/** Before the first boot. Needs tcc on this machine. */
export const prepareClock = async (root: string): Promise<void> => {
  await run(['tcc', '-shared', '-nostdlib', '-o', join(root, LIBRARY), SOURCE]);
  writeFileSync(join(root, OFFSET_FILE), offsetBytes(0));
  writeFileSync(join(root, 'etc/ld.so.preload'), `${LIBRARY}\n`);
};

/** Shell, run as the host's root with `offsetBytes` as input. In place: running programs have the file mapped. */
export const MOVE_CLOCK = `dd of=${OFFSET_FILE} conv=notrunc status=none`;

/** Shell, run as the host's root: its kernel tells the boot in wall-clock time, which a set clock moves. */
export const moveBootTime = (offsetMs: number): string => `while umount /proc/stat 2>/dev/null; do :; done
moved=$(($(sed -n 's/^btime //p' /proc/stat) + ${Math.round(offsetMs / 1_000)}))
sed "s/^btime .*/btime $moved/" /proc/stat > /run/moved-stat && mount --bind /run/moved-stat /proc/stat`;

export const offsetBytes = (offsetMs: number): Uint8Array => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(Math.round(offsetMs)) * 1_000_000n);
  return bytes;
};
