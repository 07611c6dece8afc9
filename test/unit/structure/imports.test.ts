import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Import, importsOf, sourceFiles } from '../../helpers/structure/imports.ts';
import { COMPOSITION_ROOTS, EDGES, OUT_OF_REACH, ROOMS, roomOf } from '../../helpers/structure/rooms.ts';

const ROOT = join(import.meta.dirname, '../../..');
const FILES = sourceFiles(ROOT, ['src', 'host-agent', 'controller']);
const IMPORTS = new Map(FILES.map((file) => [file, importsOf(ROOT, file)]));
const ALL = [...IMPORTS.values()].flat();

const isRoot = (file: string): boolean => COMPOSITION_ROOTS.includes(file);
const isAt = (file: string, places: readonly string[]): boolean =>
  places.some((place) => file === place || (file.startsWith(`${place}/`) && roomOf(file) === place));

/** The offence of an import between rooms, in words; null where it is allowed. */
const roomOffence = ({ from, to }: Import): string | null => {
  const program = from.split('/')[0];
  if (isRoot(from)) {
    const seesAll = to.startsWith(`${program}/`) || to.startsWith('src/');
    return seesAll ? null : `${from} imports ${to}: a composition root sees its own program and src, nothing else`;
  }
  const [own, other] = [roomOf(from), roomOf(to) ?? to];
  if (own === undefined || own === other || ROOMS[own]!.may.includes(other)) return null;
  return `${from} imports ${to}, but ${own} may not know ${other}: ${ROOMS[own]!.because}`;
};

const edgeOffence = ({ from, to }: Import): string | null => {
  const edge = EDGES[to];
  if (edge === undefined) return `${from} imports ${to}, which has no edge yet: name one in rooms.ts`;
  return isAt(from, edge.rooms) ? null : `${from} imports ${to}, which stays in ${edge.rooms}: ${edge.because}`;
};

/** Shortest chain of imports that run at start, from `file` to `library`; null where there is none. */
const chainTo = (file: string, library: string): string[] | null => {
  const chains: string[][] = [[file]];
  const seen = new Set([file]);
  for (let chain = chains.shift(); chain !== undefined; chain = chains.shift()) {
    for (const { to, typeOnly, dynamic } of IMPORTS.get(chain.at(-1)!) ?? []) {
      if (typeOnly || dynamic || seen.has(to)) continue;
      if (to === library) return [...chain, to];
      seen.add(to);
      chains.push([...chain, to]);
    }
  }
  return null;
};

describe('the plan of the house', () => {
  test('every file is in a room that the plan knows', () => {
    expect(FILES.filter((file) => roomOf(file) === undefined && !isRoot(file))).toEqual([]);
  });

  test('imports go inward and downward only', () => {
    const offences = ALL.filter((each) => each.kind === 'file').map(roomOffence);
    expect(offences.filter((each) => each !== null)).toEqual([]);
  });

  test('the rooms know each other without a circle', () => {
    const visit = (room: string, path: readonly string[]): string[] =>
      path.includes(room)
        ? [[...path.slice(path.indexOf(room)), room].join(' → ')]
        : (ROOMS[room]?.may ?? []).flatMap((next) => visit(next, [...path, room]));
    expect(Object.keys(ROOMS).flatMap((room) => visit(room, []))).toEqual([]);
  });

  test('each library stays at its edge', () => {
    const atEdges = (each: Import) => each.kind === 'package' || (each.kind === 'builtin' && each.to in EDGES);
    expect(
      ALL.filter(atEdges)
        .map(edgeOffence)
        .filter((each) => each !== null),
    ).toEqual([]);
  });

  test.each(OUT_OF_REACH)('$from does not load $library, by no chain of imports', ({ from, library, because }) => {
    const chains = FILES.filter((file) => file === from || file.startsWith(`${from}/`)).map((file) =>
      chainTo(file, library),
    );
    expect(chains.filter((chain) => chain !== null).map((chain) => `${chain.join(' → ')}: ${because}`)).toEqual([]);
  });

  test('daemons carry zod/mini: all of zod, its words in fifty languages included, costs a host-agent 8 MB', () => {
    const whole = FILES.filter((file) => /^(host-agent|controller|src\/roster)\//.test(file)).filter((file) =>
      /from 'zod'|\bz\.(core|locales)\b/.test(readFileSync(join(ROOT, file), 'utf8')),
    );
    expect(whole).toEqual([]);
  });

  test('the domain has no I/O, no clock and no chance', () => {
    const domain = FILES.filter((file) => roomOf(file) === 'src/domain');
    const outside = domain.flatMap((file) => IMPORTS.get(file)!.filter((each) => each.kind !== 'file'));
    expect(outside.map((each) => `${each.from} imports ${each.to}`)).toEqual([]);
    const impure =
      /\b(Date\.now|new Date\(\)|performance\.now|Math\.random|setTimeout|setInterval|console|process\.(env|cwd|hrtime|exit|std\w+|nextTick))\b/;
    const impureLines = domain.flatMap((file) =>
      readFileSync(join(ROOT, file), 'utf8')
        .split('\n')
        .filter((line) => impure.test(line) && !/^\s*(\/\/|\/?\*)/.test(line))
        .map((line) => `${file}: ${line.trim()}`),
    );
    expect(impureLines).toEqual([]);
  });

  test('the two programs do not know each other, and src knows neither', () => {
    const program = (file: string) => file.split('/')[0]!;
    const across = ALL.filter(({ kind, from, to }) => kind === 'file' && program(from) !== program(to));
    const wrong = across.filter(({ from, to }) =>
      from.startsWith('src/') ? to !== 'package.json' : !to.startsWith('src/'),
    );
    expect(wrong.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
  });
});
