/** One controller and the host-agents of two machines, W-jarvis and dragon-lin, joined with it: anew for each test. */
import { afterEach, beforeEach } from 'vitest';
import { RunningController } from './run-controller.ts';
import { RunningHostAgent } from './run-host-agent.ts';

export class TwoHosts {
  cell!: RunningController;
  jarvis!: RunningHostAgent;
  dragon!: RunningHostAgent;

  async start(): Promise<void> {
    this.cell = await RunningController.start();
    this.jarvis = await RunningHostAgent.start('W-jarvis');
    this.dragon = await RunningHostAgent.start('dragon-lin');
    for (const host of [this.jarvis, this.dragon])
      await host.join(await this.cell.token(host.config.name, host.config.user));
  }

  async end(): Promise<void> {
    await Promise.all([this.jarvis?.remove(), this.dragon?.remove()]);
    await this.cell?.remove();
  }
}

/** Registers the hooks of a file. */
export const twoHosts = (): TwoHosts => {
  const hosts = new TwoHosts();
  beforeEach(() => hosts.start());
  afterEach(() => hosts.end());
  return hosts;
};
