/**
 * What a failed test leaves to read: of each host its panes, processes, units, journal, console and the daemons' logs, in
 * one folder. Never throws: a host that cannot answer is a line in that folder.
 */
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach } from 'vitest';
import { LIST_PANES } from './panes.ts';
import type { Testbed } from './testbed.ts';

const LOGS = `find /home /root /run/user -xdev -type f \\( -path '*/.local/state/fleet/*.log' -o -path '/run/user/*/fleet/*.log' \\) |
while read -r file; do echo "== $file"; tail -c 200000 "$file"; done`;

const READINGS: Record<string, string> = {
  'list-panes.txt': LIST_PANES,
  'daemon-logs.txt': LOGS,
  'processes.txt': 'ps -eo user,pid,ppid,lstart,stat,args --forest',
  'units.txt': `systemctl --no-pager --all list-units; for home in /home/*; do user=\${home#/home/}; echo "== $user"
    timeout 10 systemctl --user -M "$user@" --no-pager --all list-units; done 2>&1`,
  'journal.txt': 'journalctl --no-pager -n 3000 -o short-precise',
  'network.txt': 'ip addr; ip route; ss -tanp',
};

const saveEvidence = async (bed: Testbed, folder: string): Promise<void> => {
  for (const host of bed.hosts) {
    const at = join(folder, host.name);
    mkdirSync(at, { recursive: true });
    if (existsSync(host.consoleLog)) copyFileSync(host.consoleLog, join(at, 'console.log'));
    for (const [name, command] of Object.entries(READINGS)) {
      const text = await host.asRoot(command).catch((error: unknown) => `not read: ${String(error)}\n`);
      writeFileSync(join(at, name), text);
    }
  }
};

/** After each failed test of this file, keeps the evidence below FLEET_TEST_RESULTS (default `test-results`). */
export const keepEvidence = (bed: () => Testbed | undefined): void => {
  afterEach(async ({ task }) => {
    const failed = bed();
    if (task.result?.state !== 'fail' || failed === undefined) return;
    const name = `${task.file.name}-${task.name}`.replace(/[^A-Za-z0-9.]+/g, '-').slice(0, 120);
    const folder = resolve(process.env.FLEET_TEST_RESULTS ?? 'test-results', name);
    await saveEvidence(failed, folder);
    process.stderr.write(`evidence of the failed test: ${folder}\n`);
  });
};
