/** All figures in the order in which they are taken; neighbours that share a place stand together. */
import { apply500 } from './figures/apply-500.ts';
import { auditedReads } from './figures/audited-reads.ts';
import { changeRealHosts } from './figures/change-real-hosts.ts';
import { changeVisible } from './figures/change-visible.ts';
import { controllerLoad } from './figures/controller-load.ts';
import { controllerRestart } from './figures/controller-restart.ts';
import { diff500 } from './figures/diff-500.ts';
import { grantCheck } from './figures/grant-check.ts';
import { hostAgentIdle } from './figures/host-agent-idle.ts';
import { linkLoss } from './figures/link-loss.ts';
import { ps50 } from './figures/ps-50.ts';
import { ps20000 } from './figures/ps-20000.ts';
import { psPeers } from './figures/ps-peers.ts';
import { revocation } from './figures/revocation.ts';
import { today } from './figures/today.ts';
import { watchEcho } from './figures/watch-echo.ts';
import { watchFanout } from './figures/watch-fanout.ts';
import { watchFirstFrame } from './figures/watch-first-frame.ts';
import { watchMemory } from './figures/watch-memory.ts';
import { watchThroughput } from './figures/watch-throughput.ts';
import { watchWire } from './figures/watch-wire.ts';
import type { Figure } from './harness/figure.ts';

export const figures: readonly Figure[] = [
  ps50,
  diff500,
  apply500,
  changeVisible,
  linkLoss,
  auditedReads,
  grantCheck,
  hostAgentIdle,
  ps20000,
  controllerLoad,
  controllerRestart,
  psPeers,
  revocation,
  watchFirstFrame,
  watchEcho,
  watchFanout,
  watchMemory,
  watchThroughput,
  watchWire,
  today,
  changeRealHosts,
];
