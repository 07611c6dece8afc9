/**
 * What systemd does with the unit of an agent, for a user who has no user manager: the lines of the unit file that fleet
 * writes, run by hand with the environment of a user manager, in a network without any way out.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { agentUnitText } from '../../host-agent/launch/agent-unit.ts';
import type { LaunchGround } from '../../host-agent/launch/launch-paths.ts';
import type { RosterAgent } from '../../src/domain/roster.ts';
import type { ClosedNetwork } from './real-programs.ts';

/** Of a Debian's user manager: nothing of ~/.bashrc, and no folder of the user's own. */
const MANAGER_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export class AgentUnit {
  readonly #network: ClosedNetwork;
  readonly #home: string;
  readonly #text: string;
  #server: ChildProcess | null = null;

  constructor(agent: RosterAgent, ground: LaunchGround, network: ClosedNetwork) {
    this.#network = network;
    this.#home = ground.home;
    this.#text = agentUnitText(agent, ground);
  }

  /** ExecStartPre, then ExecStart, which goes on; throws what the journal would say where it is refused. */
  start(): void {
    const { status, stderr } = this.#run('ExecStartPre');
    if (status !== 0) throw new Error(stderr);
    const [program, ...words] = this.#words('ExecStart');
    // A session of its own: without a terminal, as under systemd.
    this.#server = spawn(program!, words, { detached: true, stdio: 'ignore', cwd: '/' });
  }

  get mainPid(): number {
    return this.#server!.pid!;
  }

  get isActive(): boolean {
    return this.#server?.exitCode === null && this.#server.signalCode === null;
  }

  /** ExecStop, then the end of the main process, then ExecStopPost: with what it ended. */
  async stop(): Promise<number | null> {
    const ended = this.isActive ? once(this.#server!, 'exit') : null;
    this.#run('ExecStop', `MAINPID=${this.mainPid}`);
    await ended;
    return this.#run('ExecStopPost', 'SERVICE_RESULT=success').status;
  }

  #run(key: string, ...more: string[]) {
    const [program, ...words] = this.#words(key, ...more);
    return spawnSync(program!, words, { encoding: 'utf8', timeout: 60_000, cwd: '/' });
  }

  #words(key: string, ...more: string[]): string[] {
    const environment = [
      `HOME=${this.#home}`,
      'USER=tenant',
      'LOGNAME=tenant',
      'SHELL=/bin/bash',
      `PATH=${MANAGER_PATH}`,
      'INVOCATION_ID=8b0ccc1d7a0b4d5e9c2f1a6b3d4e5f60',
      'JOURNAL_STREAM=8:1',
      ...this.#values('Environment'),
      ...more,
    ];
    const [line = ''] = this.#values(key);
    // No home of these tests has a character that a unit quotes.
    return [...this.#network.entering, 'env', '-i', ...environment, ...line.replace(/^-/, '').split(' ')];
  }

  #values(key: string): string[] {
    return [...this.#text.matchAll(new RegExp(`^${key}=(.+)$`, 'gm'))].map(([, value]) => value!);
  }
}

/** What a unit's cgroup would end with it: whatever has this home. */
export const endAllOf = (home: string): void => {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`HOME=${home}`))
        process.kill(Number(pid), 'SIGKILL');
    } catch {
      // Gone meanwhile.
    }
  }
};
