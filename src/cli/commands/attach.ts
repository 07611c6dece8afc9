import { randomUUID } from 'node:crypto';
import { cleanText } from '../../domain/clean-text.ts';
import { FleetError } from '../../domain/errors.ts';
import { systemClock } from '../../runtime/clock.ts';
import { runAttachSession } from '../attach/attach-session.ts';
import { AttachView } from '../attach/attach-view.ts';
import { parseDetachKey } from '../attach/detach-key.ts';
import { isInside } from '../attach/inside.ts';
import { Keyboard } from '../attach/keyboard.ts';
import { hostAgentEndpoint } from '../client/endpoints.ts';
import type { CommandContext } from '../command.ts';
import { type ChangeTarget, changeTarget } from '../orders/change-target.ts';
import { orderLine } from '../orders/order-line.ts';
import { UsageError } from '../usage-error.ts';
// As in machines.ts.
import './specs.ts';
import { SharedLine } from '../watch/shared-line.ts';
import { WatchedAgent } from '../watch/watched-agent.ts';

export const run = async (context: CommandContext): Promise<number> => {
  const { paths, flags, stdin, stdout, stderr, signal } = context;
  const detachKey = parseDetachKey(flags['detach-key'] as string);
  if (!stdin.isTTY || !stdout.isTTY) {
    throw new UsageError('fleet attach needs a terminal; programs use fleet send, fleet keys and fleet tail');
  }
  const agent = await changeTarget(paths, context.positionals[0] as string, signal, 'destroy');
  refuseOwnPane(agent);
  const id = randomUUID();
  stderr.write(`${cleanText(agent.address)} · takeover ${id}\n`);
  const told = { notice: '', onChange: () => {}, onRoom: () => {} };
  using channel = await orderLine(paths, agent, signal);
  const size = flags.resize ? AttachView.roomOf(context) : { width: 0, height: 0 };
  const keyboard = new Keyboard({
    channel,
    request: { id, target: agent.target, takeover: flags.takeover === true, ...size },
    onNotice: (words) => {
      told.notice = words;
      told.onChange();
    },
    onRoom: () => told.onRoom(),
    signal,
  });
  const granted = await keyboard.take();
  if (granted.displaced) told.notice = `displaced ${granted.displaced}`;
  const watched = new WatchedAgent({
    address: agent.address,
    place: { hostAgent: agent.hostAgent, key: agent.key },
    line: new SharedLine(hostAgentEndpoint(paths)),
    minIntervalMs: 0,
    // Another life of it is not the one that was taken over.
    find: async () => ({ hostAgent: agent.hostAgent, key: agent.key }),
    clock: systemClock,
  });
  const end = await runAttachSession({ context, agent: watched, keyboard, granted, detachKey, told });
  stderr.write(`${cleanText(agent.typed)}: ${cleanText(end.words)}\n`);
  return end.exitCode;
};

/** Its keys would come back as its own input, for ever. */
const refuseOwnPane = ({ here, target, address }: ChangeTarget): void => {
  if (!here || !isInside(target.panePid)) return;
  throw new FleetError(
    'FAILED_PRECONDITION',
    `${address} is the pane in which this runs: attach from another terminal`,
  );
};
