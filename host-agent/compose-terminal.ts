/**
 * The wiring of the terminal plane: who looks, who types, what a screen asks, and the orders that go to an agent.
 * Nothing is decided here.
 */
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { HOLDER_UNIT } from '../src/domain/holder.ts';
import { isHolderSession } from '../src/domain/own-pane.ts';
import { resetCommandOf } from '../src/domain/runtime-reset.ts';
import { agentUnit } from '../src/domain/unit-name.ts';
import type { Composition } from '../src/runtime/composition.ts';
import { ensureLinger, isLingering } from '../src/runtime/linger.ts';
import { type Paths, resolvePaths } from '../src/runtime/paths.ts';
import { processStartTicks } from '../src/runtime/process-start.ts';
import type { OrderEnded } from '../src/wire/gen/fleet/v1/host_agent.ts';
import { localActor, type OwnCalls } from './calls/own-calls.ts';
import { isLineMode } from './command/line-mode.ts';
import { endedOrder } from './command/order-record.ts';
import type { VerbPorts } from './command/order-run.ts';
import { Orders } from './command/orders.ts';
import { PaneLocks } from './command/pane-lock.ts';
import { typeReset } from './command/type-reset.ts';
import type { Sources } from './compose-sources.ts';
import { DesiredState } from './desired/desired-state.ts';
import { getRoster } from './desired/get-roster.ts';
import { RosterFile } from './desired/put-roster.ts';
import { InventoryPanes } from './inventory/agent-panes.ts';
import { hindranceNow } from './launch/hindrance.ts';
import { launchDigestNow, launchDigestThen } from './launch/launch-digest.ts';
import type { LaunchGround } from './launch/launch-paths.ts';
import { LaunchRecords } from './launch/launch-records.ts';
import { Lifecycle } from './lifecycle/lifecycle.ts';
import type { LifecyclePorts } from './lifecycle/ports.ts';
import { hostPolicyPath, readHostPolicy } from './policy/host-policy.ts';
import { ProcTable } from './process/proc-table.ts';
import { explainAgent } from './prompts/explain.ts';
import { PromptWatch } from './prompts/prompt-watch.ts';
import type { RuleShelf } from './prompts/rule-shelf.ts';
import { ScreenPrompts } from './prompts/screen-prompts.ts';
import { UnitFiles } from './systemd/unit-files.ts';
import { UnitJobs } from './systemd/unit-jobs.ts';
import { Takeover } from './takeover/takeover.ts';
import { OpenCompany } from './terminal/company.ts';
import { PaneScreens } from './terminal/pane-screens.ts';
import { ScreenFeeds } from './terminal/screen-feeds.ts';
import { tailTerminal } from './terminal/tail-call.ts';
import { watchTerminal } from './terminal/watch-call.ts';
import { PaneOutputs } from './tmux/pane-outputs.ts';
import { Questions } from './tmux/questions.ts';
import { SessionEnd } from './tmux/session-end.ts';
import { PaneTyping } from './tmux/typing.ts';

export interface TerminalPlaneOptions extends Composition {
  paths: Paths;
  uid: number;
  names(): { cell: string; host: string; user: string };
  sources: Sources;
  rules: RuleShelf;
  /** Hears what became of an order that this host's user gave here. */
  ownOrderEnded(order: OrderEnded): void;
}

const TMUX = 'tmux';
const STOP_MS = 3_500;

/** Disposed of when nothing of it is asked any more; its parts are stopped by the shutdown that they were given to. */
export interface TerminalPlane extends Disposable {
  calls: Omit<OwnCalls, 'diagnose' | 'getAuditHeads'>;
  /** Reads the screens of agents that may need somebody, until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

export const composeTerminal = (options: TerminalPlaneOptions): TerminalPlane => {
  const { paths, uid, clock, part, names, sources, rules, shutdown } = options;
  const { inventory, tmux, systemd, roster, socketPath } = sources;
  const policy = () => readHostPolicy(paths.config);
  const panes = new InventoryPanes(inventory);
  // The same folder for all host-agents of this user: an instance and another may see one pane.
  const locks = new PaneLocks(join(resolvePaths({ instance: null }).run, 'panes'));
  const takeover = new Takeover({
    panes,
    policy,
    host: () => names().host,
    clock,
    log: part('takeover'),
    uid,
    folder: join(paths.state, 'host-agent', 'lent-sizes'),
    isFollowed: (socket) =>
      tmux.current().servers.some((server) => server.socket === socket && !server.polled && !server.problem),
    onServers: (listener) => tmux.onChange(listener),
    quiet: (pane, signal, who) => locks.take(pane, signal, who),
    records: {
      begin: (start) => orders.takeovers.begin(start),
      end: (id, outcome, reason) => orders.takeovers.end(id, outcome, reason),
    },
  });
  takeover.start();

  const questions = new Questions({
    tmuxPath: TMUX,
    uid,
    follower: (socket) => tmux.follower(socket),
    problem: (socket) => tmux.server(socket)?.problem?.words ?? null,
  });
  const screens = new PaneScreens({ questions, clock });
  const prompts = new ScreenPrompts(rules);
  const promptWatch = new PromptWatch({ agents: inventory, screens, prompts, clock, log: part('prompts') });
  const outputs = new PaneOutputs({
    tmuxPath: TMUX,
    uid,
    clock,
    log: part('terminal'),
    questions,
    polled: (socket) => tmux.server(socket)?.polled ?? null,
  });
  shutdown.add('terminal', () => outputs.stopped(), STOP_MS);
  const company = new OpenCompany(takeover.leases);
  const feeds = new ScreenFeeds({
    panes,
    company,
    questions,
    outputs,
    clock,
    servers: {
      hasServer: (socket) => tmux.server(socket) !== undefined,
      isSilent: (socket) => tmux.server(socket)?.problem != null,
    },
  });

  const typing = new PaneTyping({ tmuxPath: TMUX, uid });
  const processes = new ProcTable();
  const verbs: VerbPorts = { panes, screens, prompts, typing, processes, company, locks, clock, isLineMode };
  const commandOf = (runtime: string) => resetCommandOf(runtime, roster.current().roster?.resetCommands ?? new Map());
  const launches = new LaunchRecords(paths);
  const busPath = `/run/user/${uid}/bus`;
  const lifecycle: LifecyclePorts = {
    rows: { row: (key) => panes.row(key), all: () => inventory.rows },
    units: new UnitJobs({ busPath }),
    unitsProblem: () => systemd.current().problem,
    sessions: new SessionEnd({ tmuxPath: TMUX, uid }),
    servers: () => tmux.current().servers,
    startOf: processStartTicks,
    launches,
    reset: (key, force, run) => typeReset(verbs, key, { force, commandOf }, run),
    isHolder: (session) => isHolderSession(session, roster.current().roster?.holderSession ?? null),
    holder: () => {
      const read = roster.current().roster;
      if (read === null) return null;
      return { unit: HOLDER_UNIT, session: read.holderSession, socket: socketPath(read.socketName) };
    },
    unitOf: agentUnit,
    turn: (of, signal, who) => locks.take({ socket: 'unit', paneId: of, panePid: 0 }, signal, who),
    clock,
  };
  const { username, homedir: home } = userInfo();
  const ground: LaunchGround = { ...paths, home };
  /** Reads roster and env files anew; resolves when the sources tell of them. */
  const written = () => roster.refresh();
  const desired = new DesiredState({
    lifecycle,
    unitFiles: new UnitFiles({ busPath }),
    unitsSeen: () => systemd.current().units,
    ground,
    here: () => ({ hostNames: [names().host, hostname()], user: names().user }),
    socketPath,
    beatsFolder: (agent) => sources.beatsFolder(agent, roster.current().env),
    refreshRoster: written,
    linger: { isOn: () => isLingering(username), ensure: () => ensureLinger(username, paths) },
    launches: {
      digestNow: (agent) => launchDigestNow(agent, ground),
      digestThen: (agent) => launchDigestThen(ground, agent),
      hindrance: (agent, freed) => hindranceNow(agent, ground, freed),
    },
    nowMs: () => clock.nowMs(),
  });
  const orders = new Orders({
    lifecycle: new Lifecycle(lifecycle),
    desired,
    roster: new RosterFile({ mosaicHome: paths.mosaicHome, nowMs: () => clock.nowMs(), written }),
    ports: verbs,
    policy,
    policyPath: hostPolicyPath(paths.config),
    journalPath: join(paths.state, 'host-agent', 'orders.journal'),
    names,
    log: part('orders'),
    nowMs: () => clock.nowMs(),
    onEnded: (record) => {
      if (record.actor === localActor(names().user)) options.ownOrderEnded(endedOrder(record));
    },
  });
  orders.start();
  shutdown.add('orders', () => orders.stopped(), STOP_MS);
  // Stopped before the orders, in whose journal the end of each is written.
  shutdown.add('takeover', () => takeover.stopped(), STOP_MS);

  const counted = new DisposableStack();
  counted.use(inventory.heed(promptWatch));
  counted.use(inventory.countCompany(company));
  return {
    calls: {
      watchTerminal: watchTerminal({ panes, feeds, company, clock }),
      tailTerminal: tailTerminal({ panes, feeds, questions, records: (agent) => launches.runs(agent) }),
      explainAgent: explainAgent({ agents: inventory, screens, prompts, clock }),
      sendText: orders.sendText,
      pressKeys: orders.pressKeys,
      answerPrompt: orders.answerPrompt,
      controlAgent: orders.controlAgent,
      getRoster: getRoster({
        mosaicHome: paths.mosaicHome,
        standing: (roster) => desired.standing(roster),
      }),
      putRoster: orders.putRoster,
      getOrder: orders.getOrder,
      listOrders: orders.listOrders,
      holdTerminal: takeover.holdTerminal,
      typeKeys: takeover.typeKeys,
    },
    run: (signal) => promptWatch.run(signal),
    [Symbol.dispose]: () => counted.dispose(),
  };
};
