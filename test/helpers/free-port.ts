/**
 * A port of loopback on which nobody listens, below those that the kernel gives to connections: a daemon that is begun anew
 * finds it again, whatever was dialled meanwhile.
 */
import { createServer } from 'node:net';

const FIRST = 20_000;
const COUNT = 12_000;

export const freePort = async (): Promise<number> => {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    if (await isFree(port)) return port;
  }
};

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
