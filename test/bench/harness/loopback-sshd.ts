/** An sshd of the bench's own on loopback, with keys made for this run; nothing of the user's ssh is read or changed. */
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { exec } from '../../../src/runtime/exec.ts';
import { until } from '../../helpers/until.ts';
import { endChild, startChild } from './children.ts';
import { CountingProxy } from './counting-proxy.ts';

const SSHD = '/usr/sbin/sshd';
const START_TIMEOUT_MS = 10_000;

export const whyNoSshd = (): string | null => (existsSync(SSHD) ? null : `there is no ${SSHD} on this machine`);

export class LoopbackSshd implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #folder: string;
  /** Between every client and the daemon. */
  readonly traffic: CountingProxy;

  private constructor(child: ChildProcess, folder: string, traffic: CountingProxy) {
    this.#child = child;
    this.#folder = folder;
    this.traffic = traffic;
  }

  static async start(below: string): Promise<LoopbackSshd> {
    const folder = join(below, 'sshd');
    mkdirSync(folder, { mode: 0o700 });
    if (userInfo().uid === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
    for (const name of ['host', 'user']) {
      await exec('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, name)], { timeoutMs: 10_000 });
    }
    const port = await freePort();
    const config = [
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${join(folder, 'host')}`,
      `AuthorizedKeysFile ${join(folder, 'user.pub')}`,
      `PidFile ${join(folder, 'pid')}`,
      'PermitRootLogin prohibit-password',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      // The folder lies below a temporary one, which others may write to.
      'StrictModes no',
      'UsePAM no',
      'PrintMotd no',
    ];
    writeFileSync(join(folder, 'config'), `${config.join('\n')}\n`);
    const child = startChild([SSHD, '-D', '-f', join(folder, 'config')]);
    await until(() => accepts(port), { timeoutMs: START_TIMEOUT_MS });
    return new LoopbackSshd(child, folder, await CountingProxy.start({ host: '127.0.0.1', port }));
  }

  /** ssh with a terminal on the far side, its output on a pipe here. */
  argv(command: string): string[] {
    const [host, port] = this.traffic.address.split(':') as [string, string];
    const { username } = userInfo();
    const options = [
      'StrictHostKeyChecking=no',
      `UserKnownHostsFile=${join(this.#folder, 'known')}`,
      'BatchMode=yes',
      'LogLevel=ERROR',
      'ControlPath=none',
      'IdentitiesOnly=yes',
    ].flatMap((option) => ['-o', option]);
    return [
      'ssh',
      '-F',
      'none',
      '-tt',
      ...options,
      '-i',
      join(this.#folder, 'user'),
      '-p',
      port,
      `${username}@${host}`,
      command,
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.traffic[Symbol.asyncDispose]();
    await endChild(this.#child);
  }
}

const freePort = async (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
