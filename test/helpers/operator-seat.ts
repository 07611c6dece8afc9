/** A person elsewhere: a home of its own without any daemon, in which the program logs in to a running controller. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addTenant, inviteOperator } from '../../src/cli/client/admin-methods.ts';
import { readContext, saveContext } from '../../src/cli/client/context-files.ts';
import { openContext } from '../../src/cli/client/context-line.ts';
import { contextFolder } from '../../src/cli/client/contexts.ts';
import { GrpcChannel } from '../../src/cli/client/grpc-channel.ts';
import { joinAsOperator } from '../../src/cli/client/join-as-operator.ts';
import { parseToken } from '../../src/identity/token.ts';
import { type Paths, resolvePaths } from '../../src/runtime/paths.ts';
import type { InviteOperatorRequest } from '../../src/wire/gen/fleet/v1/operators.ts';
import { type Ran, type Running, startFleet } from './fleet-program.ts';
import { runCommand } from './run-command.ts';
import type { RunningController } from './run-controller.ts';

export type OperatorWish = Partial<InviteOperatorRequest> & { name: string };

/** The invitation's text; tenants that are not there yet are made. */
export const inviteTo = (controller: RunningController, wish: OperatorWish): Promise<string> =>
  controller.admin(async (channel) => {
    for (const tenantId of wish.tenants ?? []) await channel.unary(addTenant, { tenantId }, { deadlineMs: 5_000 });
    const whole = { role: 'viewer', tenants: [], takeover: false, validSeconds: 0, ...wish };
    return (await channel.unary(inviteOperator, whole, { deadlineMs: 5_000 })).token;
  });

export class OperatorSeat {
  readonly home = mkdtempSync(join(tmpdir(), 'fleet-seat-'));
  readonly paths: Paths = { ...resolvePaths({ home: this.home }), context: 'home' };

  /** Logged in as what was wished. */
  static async at(controller: RunningController, wish: OperatorWish): Promise<OperatorSeat> {
    const seat = new OperatorSeat();
    const { code, stderr } = await seat.login(await inviteTo(controller, wish));
    if (code !== 0) throw new Error(`login failed: ${stderr}`);
    return seat;
  }

  /** The same, without a word about it. */
  static async joined(controller: RunningController, wish: OperatorWish): Promise<OperatorSeat> {
    const seat = new OperatorSeat();
    const token = parseToken(await inviteTo(controller, wish), 'operator');
    await joinAsOperator(token, contextFolder(seat.paths, 'home'), AbortSignal.timeout(10_000));
    return seat;
  }

  login(token: string, ...flags: string[]): Promise<Ran> {
    return this.fleet('login', token, ...flags);
  }

  /** In this process: the program takes a second to start. */
  fleet(...args: string[]): Promise<Ran> {
    return runCommand(resolvePaths({ home: this.home }), ...args);
  }

  /** The program itself. */
  start(args: readonly string[], input?: string): Running {
    return startFleet(args, { HOME: this.home }, input);
  }

  held() {
    return readContext(this.paths, 'home');
  }

  async dialsOnly(...addresses: string[]): Promise<void> {
    const held = await this.held();
    await saveContext(held.folder, { ...held, addresses });
  }

  /** The CLI's own line. */
  channel(): GrpcChannel {
    const open = (signal: AbortSignal, withinMs: number) => openContext(this.paths, 'home', { signal, withinMs });
    return new GrpcChannel({ at: { open, called: 'home' }, what: 'controller', mend: '' });
  }

  remove(): void {
    rmSync(this.home, { recursive: true, force: true });
  }
}
