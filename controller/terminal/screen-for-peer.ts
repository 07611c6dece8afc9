/** A watched screen as a peer is told of it: who else watches is counted, and not named. */
import type { WatchedScreen } from '../../src/screen/stream-screen.ts';

export const screenForPeer = (screen: WatchedScreen, named: (name: string) => string): WatchedScreen => ({
  log: screen.log,
  status: () => {
    const status = screen.status();
    const { watchers, writer } = status;
    return { ...status, watchers: watchers.map(named).sort(), writer: writer === '' ? '' : named(writer) };
  },
  get ended() {
    return screen.ended;
  },
  onChange: (listener) => screen.onChange(listener),
});
