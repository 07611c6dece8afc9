/** Two hosts that keep their rosters as the shipped host-agent does, and whose agents are what they were told to be. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { status } from '@grpc/grpc-js';
import type { AgentRow } from '../../../src/domain/agent-row.ts';
import { rosterDigest } from '../../../src/roster/digest.ts';
import { parseRoster } from '../../../src/roster/parse.ts';
import type { IntentState, PutIntentRequest } from '../../../src/wire/gen/fleet/v1/intent.ts';
import type { Ran } from '../../helpers/fleet-program.ts';
import { hostFacts } from '../../helpers/host-agent.ts';
import { DRAGON, type Heard, outcome, paneRow, refusal, ServedOrders } from './served-orders.ts';

export const JARVIS = { id: 'W-jarvis/jarvis', host: 'W-jarvis', user: 'jarvis', here: true };

const POLICY = 'its policy lets callers only lifecycle; fleet host control W-jarvis deploy allows it';

/** A roster of those agents, each as its line says it. */
export const rosterOf = (...agents: string[]): string =>
  `version: 2\nagents:\n${agents.map((agent) => `- {${agent}}\n`).join('')}`;

export const core = (name: string, more = ''): string => `name: ${name}, runtime: pi, lifecycle: core${more}`;

export class ServedRosters {
  readonly orders = new ServedOrders();
  /** By `host/user`; absent: no file. */
  readonly texts = new Map<string, string>();
  readonly env = new Map<string, Record<string, Record<string, string>>>();
  /** Of a step `remove a` or `deploy b`: how it ends in place of done. */
  readonly ends = new Map<string, string>();
  /** Hosts that are away: what the controller keeps of them is told. */
  readonly stored = new Set<string>();
  /** Of this host: agents that are not yet what its roster says. */
  operatorUnits: string[] = [];
  leftOver: string[] = [];
  undeployed: { agent: string; reason: string; restart: boolean; moves?: boolean }[] = [];
  orphans: string[] = [];
  /** Steps that their controller keeps for them. */
  readonly intents: string[] = [];
  /** What they heard that changes something, in its order: `W-jarvis remove a`, `dragon-lin roster`. */
  readonly told: string[] = [];
  #order = 0;

  async start(): Promise<void> {
    this.orders.answers = {
      getRoster: (heard) => this.#roster(heard),
      putRoster: (heard) => this.#put(heard),
      controlAgent: (heard) => this.#control(heard),
      putIntent: ({ request }) => this.#intent(request),
    };
    await this.orders.start();
    this.host(JARVIS);
  }

  host(place: object, control = 'deploy', over: object = {}): void {
    this.orders.view.put({ ...place, facts: hostFacts({ hostNowMs: Date.now(), control }), ...over });
  }

  /** An agent of a roster, as its host says it runs. */
  row(place: { id: string }, agent: string, over: Partial<AgentRow> = {}): void {
    this.#order += 1;
    const key = `roster:${agent}`;
    const base = { key, role: null, lifecycle: 'core' as const, order: this.#order };
    const row = paneRow(agent, `%${this.#order}`, this.#order, { ...base, ...over });
    this.orders.view.putRow(place.id, row);
  }

  /** The roster of this user here, on disk and as the host-agent tells it. */
  own(text: string): string {
    this.texts.set(JARVIS.id, text);
    return this.file('roster.yaml', text);
  }

  file(name: string, text: string): string {
    const path = join(this.orders.view.paths.mosaicHome, 'fleet', name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  }

  get ownPath(): string {
    return join(this.orders.view.paths.mosaicHome, 'fleet/roster.yaml');
  }

  /** Runs the shipped program. */
  fleet(...args: string[]): Promise<Ran> {
    return this.orders.fleet(...args);
  }

  dispose(): void {
    this.orders.dispose();
  }

  #path(id: string): string {
    return id === JARVIS.id ? this.ownPath : `/home/${id.split('/')[1]}/.config/mosaic/fleet/roster.yaml`;
  }

  #roster({ request }: Heard): unknown {
    const { hostAgent } = request;
    const text = this.texts.get(hostAgent);
    const path = this.#path(hostAgent);
    const problem = text === undefined ? null : parseRoster(text, path).problem;
    const env = Object.entries(this.env.get(hostAgent) ?? {}).map(([agent, variables]) => ({ agent, variables }));
    return {
      path,
      text: text ?? '',
      digest: rosterDigest(text ?? null),
      problem: problem ?? '',
      env,
      asOfMs: 0,
      stored: this.stored.has(hostAgent),
      undeployed: this.undeployed,
      orphans: this.orphans,
      operatorUnits: this.operatorUnits,
      leftOver: this.leftOver,
    };
  }

  #put({ request }: Heard): unknown {
    const { hostAgent, text, expectedDigest, force, id } = request;
    const host = hostAgent.split('/')[0];
    const end = this.ends.get(`roster ${host}`) ?? this.#refusal(hostAgent);
    if (end !== undefined) return outcome({ id, verb: 'roster', outcome: end, reason: 'as its host says' });
    const present = rosterDigest(this.texts.get(hostAgent) ?? null);
    const { problem } = parseRoster(text, this.#path(hostAgent));
    if (problem !== null) return outcome({ id, verb: 'roster', outcome: 'refused', reason: problem });
    if (present !== expectedDigest && !force)
      return outcome({ id, verb: 'roster', outcome: 'refused', reason: 'is another by now' });
    this.texts.set(hostAgent, text);
    if (hostAgent === JARVIS.id) this.file('roster.yaml', text);
    this.told.push(`${host} roster`);
    return outcome({ id, verb: 'roster', outcome: 'done' });
  }

  #intent({ id, hostAgent, expiresMs, steps }: PutIntentRequest): IntentState {
    const now = Date.UTC(2026, 0, 1);
    this.intents.push(
      ...steps.map(({ putRoster, controlAgent }) =>
        putRoster ? 'roster' : `${controlAgent?.action} ${controlAgent?.target?.key}`,
      ),
    );
    const times = { givenMs: now, expiresMs: now + expiresMs, endedMs: 0 };
    return { id, hostAgent, state: 'waiting', reason: '', actor: 'local:jarvis', ...times, steps: [], displaced: '' };
  }

  #control({ request }: Heard): unknown {
    const { hostAgent, key } = request.target;
    const [host] = hostAgent.split('/');
    const agent = key.replace('roster:', '');
    const refused = this.#refusal(hostAgent);
    if (refused !== undefined) return outcome({ id: request.id, outcome: refused, reason: POLICY });
    const present = rosterDigest(this.texts.get(hostAgent) ?? null);
    if (request.rosterDigest !== present) throw refusal(status.FAILED_PRECONDITION, 'the roster is another by now');
    this.told.push(
      `${host} ${request.action} ${agent}${request.migrate ? ' migrate' : ''}${request.purge ? ' purge' : ''}`,
    );
    const end = this.ends.get(`${request.action} ${agent}`) ?? 'done';
    if (end === 'done') this.#become(hostAgent, agent, request.action);
    return outcome({
      id: request.id,
      verb: request.action,
      outcome: end,
      reason: end === 'done' ? '' : 'as its host says',
    });
  }

  /** The host has the last word. */
  #refusal(hostAgent: string): 'refused' | undefined {
    return this.orders.view.view.hostAgent(hostAgent)?.facts?.control === 'deploy' ? undefined : 'refused';
  }

  #become(hostAgent: string, agent: string, action: string): void {
    if (action === 'remove') this.orders.view.removeRow(hostAgent, `roster:${agent}`);
    const declared = parseRoster(this.texts.get(hostAgent) ?? '', 'r').roster?.agents.find(
      ({ name }) => name === agent,
    );
    if (declared === undefined || action === 'remove') return;
    const { runtime, model, effort, role, lifecycle } = declared;
    this.row({ id: hostAgent }, agent, { runtime, model, effort, role, lifecycle });
  }
}

export { DRAGON };
