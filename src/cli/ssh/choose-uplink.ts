/**
 * How the machine will reach the controller: it dials an address that was proved from there, or, where none works,
 * a tunnel from here brings it a socket.
 */
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { FleetError } from '../../domain/errors.ts';
import type { Paths } from '../../runtime/paths.ts';
import type { ControllerStatusResponse } from '../../wire/gen/fleet/v1/admin_messages.ts';
import { askListen } from '../install/local-fleet.ts';
import { done, unchanged, would } from '../install/steps.ts';
import { type AddContext, must, SCRIPT_TIMEOUT_MS, type Survey } from './add-context.ts';
import { candidateAddresses, isBeyondLoopback, loopbackAddress, portOf } from './candidate-addresses.ts';
import { askReach } from './reach-check.ts';
import { remoteScript } from './remote-script.ts';
import {
  ensureTunnel,
  hasTunnel,
  removeTunnel,
  tunnelKeyLine,
  tunnelManager,
  tunnelMark,
  tunnelName,
  tunnelUnit,
  uplinkSocket,
} from './tunnel.ts';

export interface Uplink {
  via: 'dial' | 'ssh';
  /** For the token, best first; `unix:` for a tunnel. */
  addresses: string[];
}

/** Finds an address that this machine reaches and that proves to be our controller; else a tunnel. */
export const chooseUplink = async (context: AddContext, found: Survey): Promise<Uplink> => {
  const { steps, options } = context;
  if (options.link === 'ssh') return openTunnel(context, found, 'asked for');
  const listening = await openController(context, found.controller);
  const answer = await steps.run('reach', async () => {
    const candidates = candidateAddresses({
      advertised: [...options.advertise, ...found.controller.advertised],
      sshConnection: found.facts.ssh_connection,
      interfaces: networkInterfaces(),
      port: portOf(listening[0]),
    });
    if (options.dryRun) return [would(`try ${candidates.join(', ')}`), { reached: candidates, why: '' }];
    const result = await askReach(context.session, context.shipped.id, found.controller, candidates, context.signal);
    if (result.reached.length > 0)
      return [unchanged(`it reaches the controller at ${result.reached.join(', ')}`), result];
    if (options.link === 'dial')
      throw new FleetError('UNAVAILABLE', `it reaches the controller nowhere: ${result.why}`);
    return [unchanged(`no dial works (${result.why}): the uplink rides ssh`), result];
  });
  if (answer.reached.length === 0) return openTunnel(context, found, 'no dial works');
  if (!options.dryRun) await askListen(context.paths, { address: listening[0] as string, advertise: answer.reached });
  return { via: 'dial', addresses: answer.reached };
};

const openController = async (context: AddContext, controller: ControllerStatusResponse): Promise<string[]> => {
  const { steps, options, paths } = context;
  const { listening } = controller;
  if (isBeyondLoopback(listening) && options.listen === undefined) return listening;
  return steps.run('listen', async () => {
    const wanted = options.listen ?? 'all interfaces';
    if (options.dryRun) return [would(`open the controller on ${wanted}`), listening];
    const answer = await askListen(paths, { address: options.listen ?? '', advertise: [...options.advertise] });
    const text = `controller listens on ${answer.listening.join(', ')}, mutual TLS only`;
    return [answer.opened ? done(`opened: ${text}`) : unchanged(text), answer.listening];
  });
};

/** Also for a host that has one: brings its unit and key line up to date. */
export const openTunnel = async (context: AddContext, found: Survey, why: string): Promise<Uplink> => {
  const { steps, options, paths, session, signal } = context;
  const remoteSocket = uplinkSocket(found.facts);
  const uplink: Uplink = { via: 'ssh', addresses: [`unix:${remoteSocket}`] };
  await steps.run('tunnel', async () => {
    if (options.dryRun) return would(`reverse ssh tunnel from here (${why})`);
    const controller = loopbackAddress(found.controller.listening);
    if (!controller) throw new FleetError('FAILED_PRECONDITION', 'the controller listens on no loopback address');
    const name = tunnelName(found.host, found.facts.user);
    const ends = { name, cell: found.controller.cell, target: session.target, remoteSocket, controller };
    const line = await tunnelKeyLine(paths, ends);
    const values = { LINE: line, MARK: tunnelMark(ends.cell, name) };
    const authorized = await must(
      session.run(remoteScript('authorize', values), { timeoutMs: SCRIPT_TIMEOUT_MS, signal }),
      'its authorized_keys cannot be written',
    );
    const loop = join(context.shipped.root, 'lib/remote/tunnel.sh');
    const manager = await tunnelManager(paths);
    const isUp = async (tries: number) => {
      const wait = remoteScript('wait-socket', { SOCKET: remoteSocket, TRIES: String(tries) });
      return (await session.run(wait, { timeoutMs: SCRIPT_TIMEOUT_MS, signal })).exitCode === 0;
    };
    let outcome = await ensureTunnel(paths, ends, { manager, loop, restart: false });
    // An ssh that stands does not notice when somebody removes the socket at its far end.
    if (outcome === 'unchanged' && !(await isUp(10))) {
      outcome = await ensureTunnel(paths, ends, { manager, loop, restart: true });
    }
    if (!(await isUp(100))) {
      throw new FleetError('UNAVAILABLE', `the tunnel does not come up: see journalctl --user -u ${tunnelUnit(name)}`);
    }
    const text = `${remoteSocket} there is ${controller} here (${why})`;
    return outcome === 'unchanged' && authorized.stdout === '' ? unchanged(text) : done(`${outcome}: ${text}`);
  });
  return uplink;
};

/** Which way the enrolled host's uplink goes, as far as this side knows. */
export const presentVia = async (paths: Paths, { host, facts }: Survey): Promise<'dial' | 'ssh'> =>
  (await hasTunnel(paths, tunnelName(host, facts.user))) ? 'ssh' : 'dial';

/** For a host that dials now: ends the tunnel that it had, on both sides. */
export const dropTunnel = async (context: AddContext, { host, facts, controller }: Survey): Promise<void> => {
  const { paths, session, signal, steps, options } = context;
  const name = tunnelName(host, facts.user);
  await steps.run('tunnel', async () => {
    if (options.dryRun) return would('end and remove its tunnel');
    const script = remoteScript('authorize', { LINE: '', MARK: tunnelMark(controller.cell, name) });
    await must(session.run(script, { timeoutMs: SCRIPT_TIMEOUT_MS, signal }), 'its authorized_keys cannot be written');
    await removeTunnel(paths, name, await tunnelManager(paths));
    return done('ended; its key and unit are gone');
  });
};
