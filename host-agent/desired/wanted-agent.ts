/** The entry of the roster that an order means, read from disk at this moment. Throws OrderEnd for everything else. */
import { cleanText } from '../../src/domain/clean-text.ts';
import { belongsHere } from '../../src/domain/placement.ts';
import type { RosterAgent } from '../../src/domain/roster.ts';
import { rosterDigest } from '../../src/roster/digest.ts';
import { parseRoster } from '../../src/roster/parse.ts';
import { findRoster } from '../../src/roster/roster-file.ts';
import { OrderEnd } from '../command/order-end.ts';
import type { DesiredPorts, Wanted } from './ports.ts';

/** `expectedDigest` of the roster against which it was planned; empty: whichever it is. */
export const wantedAgent = async (ports: DesiredPorts, name: string, expectedDigest: string): Promise<Wanted> => {
  const { path, file } = await findRoster(ports.ground.mosaicHome);
  const text = file.kind === 'text' ? file.text : null;
  if (file.kind === 'unreadable') throw new OrderEnd('refused', cleanText(`${path}: ${file.words}`));
  refuseAnother(path, text, expectedDigest);
  if (text === null) throw new OrderEnd('refused', `there is no roster at ${path}`);
  const { roster, problem } = parseRoster(text, path);
  if (roster === null) throw new OrderEnd('refused', cleanText(problem));
  const agent = entryOf(roster.agents, name, ports);
  if (agent === null) throw new OrderEnd('refused', `${path} names no agent ${name} of this host and user`);
  return { agent, roster };
};

/** The same where nobody says that it must be there, nor that the roster must be readable; null: it is not. */
export const wantedOrNone = async (
  ports: DesiredPorts,
  name: string,
  expectedDigest: string,
): Promise<Wanted | null> => {
  const { path, file } = await findRoster(ports.ground.mosaicHome);
  const text = file.kind === 'text' ? file.text : null;
  refuseAnother(path, text, expectedDigest);
  const roster = text === null ? null : parseRoster(text, path).roster;
  const agent = roster === null ? null : entryOf(roster.agents, name, ports);
  return roster === null || agent === null ? null : { agent, roster };
};

const entryOf = (agents: readonly RosterAgent[], name: string, ports: DesiredPorts): RosterAgent | null =>
  agents.find((agent) => agent.name === name && belongsHere(agent, ports.here())) ?? null;

const refuseAnother = (path: string, text: string | null, expectedDigest: string): void => {
  if (expectedDigest === '' || rosterDigest(text) === expectedDigest) return;
  throw new OrderEnd('refused', `${path} is another by now than the one that this was planned against: plan it anew`);
};
