/** Simulated hosts in processes of their own, so that the controller's process is measured alone. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { endChild, startChild } from '../harness/children.ts';
import type { Machine } from '../harness/machine.ts';
import type { SwarmAnswer, SwarmOrder } from './orders.ts';

const ANSWER_TIMEOUT_MS = 120_000;
const TOKENS_AT_ONCE = 16;

export class Swarm implements AsyncDisposable {
  readonly #children: ChildProcess[];
  readonly #folder: string;

  constructor(folder: string, options: { processes: number }) {
    this.#folder = folder;
    const program = join(import.meta.dirname, 'swarm-main.ts');
    this.#children = Array.from({ length: options.processes }, () =>
      startChild([process.execPath, program], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }),
    );
  }

  get pids(): number[] {
    return this.#children.map((child) => child.pid as number);
  }

  /** Enrols host-0000 and so on with a token each; resolves when all have identities. */
  async enrol(controller: Machine, options: { hosts: number; agentsPerHost: number }): Promise<void> {
    const names = Array.from({ length: options.hosts }, (_, each) => `host-${String(each).padStart(4, '0')}`);
    const tokens = await tokensFor(controller, names);
    await this.#order((child) => ({
      order: 'enrol',
      folder: this.#folder,
      agentsPerHost: options.agentsPerHost,
      hosts: tokens.filter((_, each) => each % this.#children.length === child),
    }));
  }

  /** Returns the changes made since the last call. */
  async churn(perSecond: number): Promise<number> {
    const answers = await this.#order(() => ({ order: 'churn', perSecond: perSecond / this.#children.length }));
    return answers.reduce((sum, { changes }) => sum + changes, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#children.map((child) => endChild(child)));
  }

  #order(orderOf: (child: number) => SwarmOrder): Promise<SwarmAnswer[]> {
    return Promise.all(
      this.#children.map(async (child, index) => {
        const late = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
        const ended = once(child, 'exit', { signal: late }).then(() => {
          throw new Error('a process of simulated hosts ended');
        });
        ended.catch(() => undefined);
        const answer = once(child, 'message', { signal: late }).then(([message]) => message as SwarmAnswer);
        child.send(orderOf(index));
        return await Promise.race([answer, ended]);
      }),
    );
  }
}

const tokensFor = async (controller: Machine, names: string[]): Promise<{ host: string; token: string }[]> => {
  const tokens: { host: string; token: string }[] = [];
  const waiting = [...names];
  const work = async (): Promise<void> => {
    for (let host = waiting.shift(); host !== undefined; host = waiting.shift()) {
      tokens.push({ host, token: await controller.token(host, 'u') });
    }
  };
  await Promise.all(Array.from({ length: TOKENS_AT_ONCE }, work));
  return tokens.sort((a, b) => (a.host < b.host ? -1 : 1));
};
