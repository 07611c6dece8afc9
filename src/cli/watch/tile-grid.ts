/** Where the tiles of a grid stand: as many columns as give tiles the shape of a screen; what does not fit is on a later page. */
import type { Size } from './pan.ts';

export interface Tile {
  /** Which of the views. */
  view: number;
  row: number;
  column: number;
  width: number;
  /** Its title bar is one of them. */
  height: number;
}

const LEAST_TILE: Size = { width: 20, height: 4 };
/** Cells are about twice as high as wide, screens about 80x24. */
const SCREEN_SHAPE = 80 / 24;
/** Blank columns between two tiles. */
const GAP = 1;

export interface Page {
  tiles: Tile[];
  /** From 1. */
  number: number;
  pages: number;
  /** Tiles in each line of tiles. */
  columns: number;
}

/** The page on which the selected view is. */
export const layTiles = (views: number, selected: number, area: Size): Page => {
  const most = {
    columns: Math.max(1, Math.floor((area.width + GAP) / (LEAST_TILE.width + GAP))),
    lines: Math.max(1, Math.floor(area.height / LEAST_TILE.height)),
  };
  const shown = Math.min(views, most.columns * most.lines);
  const columns = bestColumns(shown, area, most);
  const lines = Math.ceil(shown / columns);
  const perPage = columns * lines;
  const page = Math.floor(selected / perPage);
  const first = page * perPage;
  const tiles = Array.from({ length: Math.min(perPage, views - first) }, (_, n): Tile => {
    const [x, y] = [n % columns, Math.floor(n / columns)];
    const column = Math.floor((x * (area.width + GAP)) / columns);
    const row = Math.floor((y * area.height) / lines);
    return {
      view: first + n,
      column,
      row,
      width: Math.max(1, Math.floor(((x + 1) * (area.width + GAP)) / columns) - GAP - column),
      height: Math.floor(((y + 1) * area.height) / lines) - row,
    };
  });
  return { tiles, number: page + 1, pages: Math.ceil(views / perPage), columns };
};

const bestColumns = (tiles: number, area: Size, most: { columns: number; lines: number }): number => {
  let best = most.columns;
  let leastMisfit = Number.POSITIVE_INFINITY;
  for (let columns = 1; columns <= Math.min(tiles, most.columns); columns++) {
    const lines = Math.ceil(tiles / columns);
    if (lines > most.lines) continue;
    const shape = area.width / columns / (area.height / lines);
    const misfit = Math.abs(Math.log(shape / SCREEN_SHAPE));
    if (misfit >= leastMisfit) continue;
    leastMisfit = misfit;
    best = columns;
  }
  return best;
};
