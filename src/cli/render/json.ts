/** JSON that is safe on a terminal, in pieces, so that a long list is neither built nor written in one go. */
import type { AgentView, HostAgentView } from '../../domain/agent-view.ts';
import type { Picture } from '../picture.ts';

/** JSON.stringify escapes C0; these reach a terminal raw otherwise: DEL, C1, bidi, zero width, separators. */
const UNSAFE =
  /[\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|\udb40[\udc01\udc20-\udc7f]/g;

const escaped = (text: string): string =>
  text.replace(/[\s\S]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** ASCII without DEL: nothing to escape, and told several times faster than by a search for each of the above. */
const isPlain = (text: string): boolean => Buffer.byteLength(text) === text.length && !text.includes('\x7f');

/** One line; the same value as JSON.stringify's when read again. */
export const jsonText = (value: unknown): string => {
  const text = JSON.stringify(value);
  return isPlain(text) ? text : text.replace(UNSAFE, escaped);
};

/** Host-agents of one host stand together, as in `hosts` of the document. */
const hostsOf = (picture: Picture): { host: string; cell: string; here: boolean; host_agents: unknown[] }[] => {
  const byHost = Map.groupBy(picture.groups, (group) => `${group.host.cell}\n${group.host.host}`);
  return [...byHost.values()].map((groups) => {
    const [first] = groups;
    return {
      cell: first?.host.cell ?? '',
      host: first?.host.host ?? '',
      here: groups.some((group) => group.isHere),
      host_agents: groups.map((group) => hostAgentObject(group.host)),
    };
  });
};

const hostAgentObject = ({ cell: _cell, host: _host, ...rest }: HostAgentView): Omit<HostAgentView, 'cell' | 'host'> =>
  rest;

const head = (schema: string, picture: Picture): string =>
  jsonText({
    schema,
    cell: picture.cell,
    complete: picture.complete,
    peers: picture.peers.map(({ cell, state, reason, ageMs }) => ({
      cell,
      state,
      reason: reason ?? null,
      age_seconds: Math.floor(ageMs / 1_000),
    })),
    hosts: hostsOf(picture),
  });

export function* agentsJson(picture: Picture): Generator<string> {
  yield `${head('fleet.agents/v1', picture).slice(0, -1)},"agents":[`;
  let separator = '\n';
  for (const agent of agentsOf(picture)) {
    yield separator + jsonText(agent);
    separator = ',\n';
  }
  yield '\n]}\n';
}

export function* hostsJson(picture: Picture): Generator<string> {
  yield `${head('fleet.hosts/v1', picture)}\n`;
}

export function* agentsOf(picture: Picture): Generator<AgentView> {
  for (const group of picture.groups) yield* group.agents();
}
