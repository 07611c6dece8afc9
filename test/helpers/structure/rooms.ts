/**
 * The plan of the house as data: which room may know which, and at which edge each library stays. A new room is one line
 * here. The longest path that fits a file is its room.
 */
export interface Room {
  /** Rooms whose files it may import, types too. Its own are always allowed. */
  may: readonly string[];
  /** Why not more. */
  because: string;
}

export interface Edge {
  rooms: readonly string[];
  because: string;
}

const PURE = 'src/domain is pure: nouns and rules that every other room may know';
const PORTS = 'a source fills the inventory’s ports and knows no other source: the inventory joins them';
const INWARD = 'imports go inward and downward only, so that state moves one way';
const SHARED = ['src/domain', 'src/wire', 'src/runtime', 'src/identity', 'src/view', 'src/screen', 'src/wire/gen'];

const source: Room = { may: ['host-agent/inventory', ...SHARED], because: PORTS };
const below = (part: string, ...rooms: string[]): Room => ({
  may: [...rooms.map((room) => `${part}/${room}`), ...SHARED],
  because: INWARD,
});
const agent = (...rooms: string[]): Room => below('host-agent', ...rooms);
const controller = (...rooms: string[]): Room => below('controller', ...rooms);

export const ROOMS: Record<string, Room> = {
  'src/domain': { may: [], because: PURE },
  'src/wire/gen': { may: [], because: 'generated from proto/ alone' },
  'src/wire': { may: ['src/domain', 'src/wire/gen'], because: 'it only translates between messages and domain' },
  'src/runtime': { may: ['src/domain', 'package.json'], because: 'it serves any daemon and knows nothing of fleets' },
  'src/identity': { may: ['src/domain', 'src/runtime'], because: 'keys and certificates know no messages' },
  'src/view': { may: ['src/domain', 'src/wire', 'src/wire/gen', 'src/runtime'], because: INWARD },
  'src/roster': {
    may: ['src/domain', 'src/runtime'],
    because: 'the host-agent and the CLI read one and the same roster, by the same rules',
  },
  'src/screen': { may: ['src/domain', 'src/wire', 'src/wire/gen', 'src/runtime'], because: INWARD },
  'src/cli/client': { may: [...SHARED], because: 'the client is below the verbs that use it' },
  'src/cli': {
    may: ['src/cli/client', 'src/roster', ...SHARED],
    because: 'the CLI speaks to the daemons by the wire only',
  },

  'host-agent/tmux': source,
  'host-agent/systemd': source,
  'host-agent/heartbeat': { ...source, may: [...source.may, 'host-agent/heartbeat/folders.ts'] },
  'host-agent/roster': { ...source, may: [...source.may, 'src/roster'] },
  'host-agent/process': source,
  'host-agent/inventory': agent(),
  'host-agent/policy': agent(),
  'host-agent/enrollment': agent(),
  'host-agent/audit': agent(),
  'host-agent/calls': agent(),
  'host-agent/report': agent('calls'),
  'host-agent/terminal': agent('tmux', 'calls'),
  'host-agent/prompts': agent('terminal', 'calls'),
  'host-agent/takeover': agent('policy', 'tmux', 'terminal', 'calls'),
  'host-agent/heartbeat/folders.ts': {
    may: SHARED,
    because: 'one resolver for whoever reads and whoever writes beats',
  },
  'host-agent/launch': {
    may: ['src/roster', ...below('host-agent', 'inventory', 'heartbeat/folders.ts').may],
    because: 'a launch reads its own roster at each start, and is part of no daemon',
  },
  'host-agent/command': agent('inventory', 'policy', 'tmux', 'terminal', 'calls'),
  'host-agent/lifecycle': agent('inventory', 'command'),
  'host-agent/desired': {
    may: [...agent('inventory', 'command', 'launch', 'lifecycle', 'calls').may, 'src/roster'],
    because: 'it makes of this host what its roster says, with the hands of the rooms below it',
  },
  'host-agent/doctor': {
    may: [...agent('inventory', 'policy', 'enrollment', 'launch', 'config.ts').may, 'src/roster'],
    because: 'it compares what the other rooms read, and asks nobody itself',
  },
  'host-agent/local': agent('calls'),
  'host-agent/config.ts': agent(),

  'controller/store': controller(),
  'controller/audit': controller('store'),
  'controller/tenancy': controller('store'),
  'controller/grpc': controller('store', 'audit', 'tenancy'),
  'controller/enrollment': controller('store', 'audit', 'tenancy'),
  'controller/registry': controller('store', 'tenancy', 'grpc'),
  'controller/uplink': controller('registry', 'tenancy', 'grpc'),
  'controller/dispatch': controller('uplink', 'store', 'audit', 'tenancy', 'grpc'),
  'controller/terminal': controller('dispatch', 'uplink', 'store', 'tenancy', 'grpc'),
  'controller/events': controller('dispatch', 'store', 'tenancy', 'grpc'),
  'controller/desired': {
    may: [...controller('dispatch', 'uplink', 'store', 'audit', 'tenancy', 'grpc').may, 'src/roster'],
    because: 'it gives orders as dispatch does, later; and a copy of a roster has the digest that its host has',
  },
  'controller/grants': controller('store', 'tenancy', 'grpc'),
  'controller/federation': controller('enrollment', 'uplink', 'store', 'audit', 'tenancy', 'grpc'),
  'controller/backup': controller('store', 'audit', 'desired', 'config.ts'),
  'controller/admin': controller('enrollment', 'backup', 'store', 'audit', 'tenancy', 'grpc'),
  'controller/config.ts': controller(),
};

/** Where everything of one program meets; they may import all of their own program and of src. */
export const COMPOSITION_ROOTS = [
  'host-agent/main.ts',
  'host-agent/agent.ts',
  'host-agent/compose-calls.ts',
  'host-agent/compose-enrolment.ts',
  'host-agent/compose-line.ts',
  'host-agent/compose-own-record.ts',
  'host-agent/compose-sources.ts',
  'host-agent/compose-terminal.ts',
  'controller/main.ts',
  'controller/controller.ts',
  'controller/compose-enrollment.ts',
  'controller/compose-hosts.ts',
  'controller/compose-metrics.ts',
  'controller/compose-orders.ts',
  'controller/compose-peering.ts',
  'controller/compose-state.ts',
];

/** npm packages, and builtins that stay at one edge like them. A path may be a single file. */
export const EDGES: Record<string, Edge> = {
  '@grpc/grpc-js': {
    rooms: [
      'controller/grpc',
      'controller/federation/peer-channel.ts',
      'host-agent/report',
      'host-agent/local',
      'src/wire/gen',
    ],
    because:
      'streams and statuses of one gRPC library must not leak inward; the CLI uses node:http2, which starts faster',
  },
  'grpc-health-check': { rooms: ['controller/grpc'], because: 'a service of the gRPC server' },
  '@grpc/reflection': { rooms: ['controller/grpc'], because: 'a service of the gRPC server' },
  '@bufbuild/protobuf': {
    rooms: ['src/wire', 'src/wire/gen', 'controller/grpc'],
    because: 'message bytes are the wire’s business, and descriptors that of reflection',
  },
  '@jellybrick/dbus-next': {
    rooms: ['host-agent/systemd'],
    because: 'D-Bus is how systemd is asked, and nothing else',
  },
  execa: { rooms: ['src/runtime/exec.ts'], because: 'one way to run a program, with a deadline' },
  pino: { rooms: ['src/runtime/logger.ts'], because: 'one way to log, redacted' },
  'prom-client': { rooms: ['controller/grpc'], because: 'figures are served beside health' },
  'get-east-asian-width': { rooms: ['src/screen'], because: 'one idea of how wide a character is' },
  'node:sqlite': { rooms: ['controller/store'], because: 'another engine must fit behind the store’s interface' },
  'js-yaml': { rooms: ['src/roster'], because: 'rosters are the only YAML; it tells what one says' },
  yaml: { rooms: ['src/roster'], because: 'it writes a roster so that its comments stay' },
  zod: {
    rooms: [
      'src/cli',
      'src/cli/client',
      'host-agent/config.ts',
      'host-agent/enrollment',
      'host-agent/policy',
      'host-agent/prompts',
      'src/roster',
      'host-agent/takeover',
      'controller/config.ts',
      'controller/store',
    ],
    because: 'it stands where outside data enters; inside, types are enough',
  },
};

/** Rooms from which a library must not be reached by any chain of imports that run at start. */
export const OUT_OF_REACH: readonly { from: string; library: string; because: string }[] = [
  { from: 'src/cli', library: '@grpc/grpc-js', because: 'it costs a CLI command more than all the rest of its start' },
  {
    from: 'src/cli/main.ts',
    library: 'js-yaml',
    because: 'only verbs about rosters read YAML: ps must not wait for it',
  },
  { from: 'host-agent', library: 'yaml', because: 'a host-agent reads rosters, and changes the words of none' },
  { from: 'src/view', library: '@grpc/grpc-js', because: 'a view serves any transport' },
  { from: 'src/domain', library: 'zod', because: PURE },
];

export const roomOf = (file: string): string | undefined =>
  Object.keys(ROOMS)
    .filter((room) => file === room || file.startsWith(`${room}/`))
    .sort((a, b) => b.length - a.length)[0];
