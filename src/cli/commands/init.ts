/** `fleet init`: the first roster of this user on this machine. It writes that file, and what it is asked for besides. */
import { userInfo } from 'node:os';
import { cleanText } from '../../domain/clean-text.ts';
import { FleetError } from '../../domain/errors.ts';
import { parseRoster } from '../../roster/parse.ts';
import { findRoster } from '../../roster/roster-file.ts';
import { writeNewFile } from '../../runtime/write-whole.ts';
import type { CommandContext } from '../command.ts';
import { chooseAdopted, chooseRoster, firstRoster } from '../desired/first-roster.ts';
import { type Found, foundHere } from '../desired/found-here.ts';
import { lookHere } from '../desired/look-here.ts';
import { settleGround } from '../desired/settle-ground.ts';
import { EXIT } from '../exit-codes.ts';
import { fleetWords } from '../orders/shell-word.ts';
import { jsonText } from '../render/json.ts';

const MODE = 0o600;

export const run = async (context: CommandContext): Promise<number> => {
  const { flags, paths, stdout, stderr } = context;
  const say = (line: string): void => void stderr.write(`${cleanText(line)}\n`);
  const { path, file } = await findRoster(paths.mosaicHome);
  if (file.kind !== 'missing') throw isThere(path);
  const here = await lookHere(context);
  if (here === null && flags.adopt)
    throw new FleetError('UNAVAILABLE', `what runs here cannot be told: ${fleetWords(paths)} up starts the host-agent`);
  const found = foundHere(here?.rows ?? [], paths, userInfo().uid);
  for (const line of foundLines(found, here === null, fleetWords(paths))) say(line);
  const choice = await chooseRoster(context);
  const adopted = await chooseAdopted(context, found);
  const text = firstRoster(choice, adopted, path);
  const agents = (parseRoster(text, path).roster?.agents ?? []).map(({ name }) => name);
  if (flags['dry-run']) {
    stdout.write(
      flags.output === 'json' ? `${jsonText({ schema: 'fleet.init/v1', path, dry_run: true, agents, text })}\n` : text,
    );
    stderr.write('dry run: nothing was written\n');
    return EXIT.done;
  }
  if (!(await writeNewFile(path, text, MODE))) throw isThere(path);
  say(`wrote ${path}: ${agents.join(', ')}`);
  const ground = await settleGround(context, choice.workingDirectory, here?.control ?? null);
  const next = [
    ...(here === null ? [`${fleetWords(paths)} up`] : []),
    ...(ground.control === 'deploy' ? [] : [`${fleetWords(paths)} host control ${here?.host ?? 'HOST'} deploy`]),
    `${fleetWords(paths)} apply`,
  ];
  if (flags.output === 'json') {
    const names = adopted.map(({ row }) => row.agent);
    stdout.write(
      `${jsonText({ schema: 'fleet.init/v1', path, dry_run: false, agents, adopted: names, ...ground, next })}\n`,
    );
  } else say(`next: ${next.join(', then ')}`);
  return EXIT.done;
};

const isThere = (path: string): FleetError =>
  new FleetError('ALREADY_EXISTS', `${path} is there already, and stays: fleet add, fleet edit or an editor change it`);

const foundLines = (found: readonly Found[], isSilent: boolean, fleet: string): string[] => {
  if (isSilent) return [`no host-agent answers, so what runs here is not shown: ${fleet} up starts it`];
  if (found.length === 0) return ['no session of an agent runs here yet'];
  const width = Math.max(...found.map(({ row }) => cleanText(row.agent).length));
  const lines = found.map(({ row, why }) => {
    const what = row.runtimeSeen ?? 'unknown';
    return `  ${row.agent.padEnd(width)}  ${what}, ${row.readiness}${why === '' ? '' : `; stays as it is: ${why}`}`;
  });
  return ['runs here, in no roster:', ...lines];
};
