/** RPCs that show a screen, apart from the others so that a `ps` does not load their codecs. */
import * as terminal from '../../wire/gen/fleet/v1/terminal.ts';
import { methodOf } from './methods.ts';

export const watchTerminal = methodOf(
  '/fleet.v1.FleetService/WatchTerminal',
  terminal.WatchTerminalRequest,
  terminal.WatchTerminalResponse,
);
export const tailTerminal = methodOf(
  '/fleet.v1.FleetService/TailTerminal',
  terminal.TailTerminalRequest,
  terminal.TailTerminalResponse,
);
