/** How a peer is told of people: its own by the names that it gave them, everybody else as this cell, whoever they are. */
export const namedTo =
  (peer: string, cell: string) =>
  (name: string): string =>
    name.startsWith(`${peer}/`) ? name : cell;
