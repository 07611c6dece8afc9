import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ACCESS } from '../../../controller/grpc/access.ts';
import { revokeOperator, watchAudit } from '../../../src/cli/client/admin-methods.ts';
import { GRANT_VERBS } from '../../../src/domain/grant.ts';
import { keyToPem } from '../../../src/identity/key.ts';
import type { AuditRecord } from '../../../src/wire/gen/fleet/v1/audit.ts';
import {
  AccessClient,
  foreignController,
  letterOf,
  operatorOf,
  quietHost,
  type ShownIdentity,
} from '../../helpers/access-ground.ts';
import { ForeignCell } from '../../helpers/foreign-cell.ts';
import { inviteTo } from '../../helpers/operator-seat.ts';
import { SimulatedCell } from '../../helpers/simulated-cell.ts';

/**
 * y let in, x not permitted, n as if it did not exist, - needs an identity. Three letters: what is the caller's own
 * tenant's, what is another's, what does not exist. Hosts ask about another host than their own, without a ceiling;
 * `neighbour` is a host of the other tenant, the operators but `admin` are bound to the first, `taker` may take over. `peer`
 * was granted every verb on the first tenant; `foreign` is a controller that nobody knows.
 */
const TABLE = `
                       stranger  host  neighbour  viewer  operator  taker  admin  local  foreign  peer
WatchAgents                   -     y          y       y         y      y      y      y        -     y
WatchEvents                   -     y          y       y         y      y      y      y        -     x
WhoAmI                        -     y          y       y         y      y      y      y        -     y
Diagnose                    ---   ynn        ynn     ynn       ynn    ynn    yyn    yyn      ---   xxx
WatchTerminal               ---   ynn        ynn     ynn       ynn    ynn    yyn    yyn      ---   ynn
TailTerminal                ---   ynn        ynn     ynn       ynn    ynn    yyn    yyn      ---   ynn
ExplainAgent                ---   ynn        ynn     ynn       ynn    ynn    yyn    yyn      ---   ynn
GetOrder                    ---   ynn        ynn     ynn       ynn    ynn    yyn    yyn      ---   nnn
ListOrders                  ---   ynn        ynn     xxx       ynn    ynn    yyn    yyn      ---   xxx
GetAuditHeads               ---   ynn        ynn     xxx       ynn    ynn    yyn    yyn      ---   xxx
SendText                    ---   xnn        xnn     xxx       ynn    ynn    yyn    yyn      ---   ynn
PressKeys                   ---   xnn        xnn     xxx       ynn    ynn    yyn    yyn      ---   ynn
AnswerPrompt                ---   xnn        xnn     xxx       ynn    ynn    yyn    yyn      ---   ynn
ControlAgent                ---   xnn        xnn     xxx       ynn    ynn    yyn    yyn      ---   ynn
GetRoster                   ---   ynn        ynn     xxx       ynn    ynn    yyn    yyn      ---   xxx
PutRoster                   ---   xnn        xnn     xxx       ynn    ynn    yyn    yyn      ---   xxx
PutIntent                   ---   xnn        xnn     xxx       ynn    ynn    yyn    yyn      ---   xxx
GetIntent                   ---   ynn        ynn     xxx       ynn    ynn    yyn    yyn      ---   xxx
HoldTerminal                ---   xnn        xnn     xxx       xxx    ynn    yyn    yyn      ---   ynn
TypeKeys                    ---   xnn        xnn     xxx       xxx    ynn    yyn    yyn      ---   ynn
Connect                       -     y          y       x         x      x      x      x        -     x
Tunnel                        -     y          y       x         x      x      x      x        -     x
Enroll                        y     y          y       x         x      x      x      x        y     x
Renew                         y     y          y       y         y      y      y      x        y     x
JoinPeer                      y     x          x       x         x      x      x      x        y     x
RefreshPeer                   -     x          x       x         x      x      x      x        -     y
CreateToken                   -     x          x       x         x      x      y      y        -     x
ListTokens                    -     x          x       x         x      x      y      y        -     x
WithdrawTokens                -     x          x       x         x      x      n      n        -     x
RemoveHost                  ---   xxx        xxx     xxx       xxx    xxx    yyn    yyn      ---   xxx
Listen                        -     x          x       x         x      x      y      y        -     x
AllowVerbs                  ---   xxx        xxx     xxx       xxx    xxx    yyn    yyn      ---   xxx
ListIdentities                -     x          x       x         x      x      y      y        -     x
ControllerStatus              -     x          x       x         x      x      y      y        -     x
WatchAudit                    -     x          x       x         x      x      y      y        -     x
VerifyAudit                   -     x          x       x         x      x      y      y        -     x
GetTrustBundle                -     y          y       y         y      y      y      y        -     y
RotateAuthority               -     x          x       x         x      x      y      y        -     x
AuthorityStatus               -     x          x       x         x      x      y      y        -     x
BackUp                        -     x          x       x         x      x      x      y        -     x
InvitePeer                    -     x          x       x         x      x      y      y        -     x
AcceptPeer                    -     x          x       x         x      x      y      y        -     x
ListPeers                     -     x          x       x         x      x      y      y        -     x
SetPeerTenants                -     x          x       x         x      x      n      n        -     x
RemovePeer                    -     x          x       x         x      x      n      n        -     x
AddGrant                      -     x          x       x         x      x      y      y        -     x
ListGrants                    -     x          x       x         x      x      y      y        -     x
RevokeGrant                   -     x          x       x         x      x      n      n        -     x
InviteOperator                -     x          x       x         x      x      y      y        -     x
ListOperators                 -     x          x       x         x      x      y      y        -     x
RevokeOperator              ---   xxx        xxx     xxx       xxx    xxx    yyn    yyn      ---   xxx
AddTenant                     -     x          x       x         x      x      y      y        -     x
ListTenants                   -     x          x       x         x      x      y      y        -     x
RemoveTenant                ---   xxx        xxx     xxx       xxx    xxx    yyn    yyn      ---   xxx
BindTenant                    -     x          x       x         x      x      y      y        -     x
UnbindTenant                ---   xxx        xxx     xxx       xxx    xxx    nyn    nyn      ---   xxx
QuarantineHost              ---   xxx        xxx     xxx       xxx    xxx    yyn    yyn      ---   xxx
Check                         -     y          y       y         y      y      y      y        -     x
Watch                         -     y          y       y         y      y      y      y        -     x
List                          -     y          y       y         y      y      y      y        -     x
ServerReflectionInfo          -     x          x       y         y      y      y      y        -     x
`;

const [HEAD = '', ...LINES] = TABLE.trim().split('\n');
const WHO = HEAD.trim().split(/\s+/);
const ROWS = new Map(LINES.map((line) => [line.split(/\s+/)[0] as string, line.split(/\s+/).slice(1)] as const));

type Scope = 'own' | 'other' | 'absent';
const SCOPES: readonly Scope[] = ['own', 'other', 'absent'];

/** Whose own tenant the second one is; everybody else's is the first. */
const isNeighbour = (who: string): boolean => who === 'neighbour';

interface Target {
  tenantId: string;
  host: string;
  hostAgent: string;
  order: string;
  /** Of something that a call may end: made for that call. */
  victim: string;
}

const targetRequest = ({ hostAgent }: Target) => ({ target: { hostAgent, key: 'a', paneId: '%1', panePid: 1 } });
let orders = 0;
const anOrder = (target: Target) => ({ ...targetRequest(target), id: `order-${++orders}`, timeoutMs: 2_000 });
const ofAgent = ({ hostAgent }: Target) => ({ hostAgent, key: 'a' });
const ofHost = ({ hostAgent }: Target) => ({ hostAgent });

/** What each call is made with beside defaults; whatever passes the door may then fail for its own reasons. */
const REQUESTS: Readonly<Record<string, (target: Target) => object>> = {
  Diagnose: ({ host }) => ({ host }),
  WatchTerminal: ofAgent,
  TailTerminal: (target) => ({ ...ofAgent(target), lines: 1 }),
  ExplainAgent: ofAgent,
  GetOrder: ({ order }) => ({ id: order }),
  ListOrders: ofHost,
  GetAuditHeads: ofHost,
  SendText: (target) => ({ ...anOrder(target), text: 'hello' }),
  PressKeys: (target) => ({ ...anOrder(target), keys: ['Enter'] }),
  AnswerPrompt: (target) => ({ ...anOrder(target), choice: '1' }),
  ControlAgent: (target) => ({ ...anOrder(target), action: 'restart' }),
  GetRoster: ofHost,
  PutRoster: (target) => ({ ...ofHost(target), id: `order-${++orders}` }),
  PutIntent: (target) => ({ ...ofHost(target), id: `order-${++orders}` }),
  GetIntent: ofHost,
  HoldTerminal: targetRequest,
  TypeKeys: targetRequest,
  WithdrawTokens: () => ({ host: 'nowhere' }),
  RemoveHost: ({ victim }) => ({ host: victim }),
  AllowVerbs: ({ host }) => ({ host }),
  RevokeOperator: ({ victim }) => ({ name: victim }),
  AddTenant: () => ({ tenantId: 'made' }),
  RemoveTenant: ({ tenantId }) => ({ tenantId }),
  BindTenant: () => ({ tenantId: 'default', host: 'W-jarvis', user: 'u' }),
  UnbindTenant: ({ victim }) => ({ host: victim, user: 'u' }),
  QuarantineHost: ({ victim }) => ({ host: victim }),
  // Let in, and then refused for what it says.
  Listen: () => ({ address: 'nowhere' }),
};

let cell: SimulatedCell;
let partner: ForeignCell;
const clients = new Map<string, AccessClient>();
/** Whom nobody knows is let be connected for half a minute: each of their tests begins a connection. */
const NOBODY = ['stranger', 'foreign'];
const again = new Map<string, () => AccessClient>();
const asked: string[] = [];

beforeAll(async () => {
  cell = await SimulatedCell.start();
  const { controller } = cell;
  for (const [host, tenantId] of [
    ['W-jarvis', 'default'],
    ['dragon-lin', 'acme'],
  ] as const) {
    const noting = (call: string) => async (): Promise<never> => {
      asked.push(call);
      throw new Error(`this host does not ${call}`);
    };
    const calls = Object.fromEntries(
      ['sendText', 'pressKeys', 'answerPrompt', 'controlAgent', 'putRoster', 'holdTerminal', 'typeKeys'].map(
        (call) => [call, noting(call)] as const,
      ),
    );
    await cell.host(host, { tenantId, calls });
  }
  const desk = await quietHost(controller, 'desk', 'default');
  const annex = await quietHost(controller, 'annex', 'acme');
  const operator = (name: string, role: string, takeover = false): Promise<ShownIdentity> =>
    operatorOf(controller, { name, role, takeover, tenants: role === 'admin' ? [] : ['default'] });
  const shown: Record<string, ShownIdentity> = {
    stranger: { certificatePem: null, keyPem: null },
    host: desk,
    neighbour: annex,
    viewer: await operator('viewer', 'viewer'),
    operator: await operator('operator', 'operator'),
    taker: await operator('taker', 'operator', true),
    admin: await operator('admin', 'admin'),
    foreign: foreignController(),
  };
  partner = await ForeignCell.joined(controller);
  await partner.grant({ verbs: [...GRANT_VERBS] });
  const at = { address: desk.addresses[0] as string, trustBundlePem: desk.trustBundlePem };
  for (const [who, identity] of Object.entries(shown)) clients.set(who, AccessClient.overTls(at, identity));
  for (const who of NOBODY) again.set(who, () => AccessClient.overTls(at, shown[who] as ShownIdentity));
  const { certificatePem, key } = partner.leaf();
  const peer = { certificatePem, keyPem: keyToPem(key) };
  clients.set('peer', AccessClient.overTls(at, peer, partner.behalf()));
  clients.set('local', AccessClient.local(controller.config.paths.adminSocket));
  for (const scope of ['own', 'other'] as const) {
    const target = targetOf('local', scope);
    await clients.get('local')?.failureOf(pathOf('SendText'), { ...anOrder(target), id: target.order });
  }
});
afterAll(async () => {
  for (const client of clients.values()) client.close();
  partner?.close();
  await cell?.end();
});

const clientOf = (who: string): AccessClient => {
  const anew = again.get(who)?.();
  if (anew) {
    clients.get(who)?.close();
    clients.set(who, anew);
  }
  return clients.get(who) as AccessClient;
};

const targetOf = (who: string, scope: Scope, victim = 'nobody'): Target => {
  if (scope === 'absent') {
    const nowhere = { host: 'nowhere', hostAgent: 'nowhere/u', tenantId: 'nowhere' };
    return { ...nowhere, order: 'order-absent', victim: 'nobody' };
  }
  const isFirst = (scope === 'own') !== isNeighbour(who);
  const host = isFirst ? 'W-jarvis' : 'dragon-lin';
  const tenantId = isFirst ? 'default' : 'acme';
  return { host, hostAgent: `${host}/u`, tenantId, order: `order-of-${host}`, victim };
};

/** Somebody whom the call may end, of that scope's tenant. */
const victimFor = async (call: string, who: string, scope: Scope): Promise<string> => {
  const name = `victim-${call}-${who}-${scope}`;
  const tenantId = scope === 'own' ? 'default' : 'acme';
  if (/^(RemoveHost|UnbindTenant|QuarantineHost)$/.test(call)) await quietHost(cell.controller, name, tenantId);
  if (call === 'RevokeOperator') await inviteTo(cell.controller, { name, tenants: [tenantId] });
  return name;
};

const pathOf = (call: string): string => [...ACCESS.keys()].find((path) => path.endsWith(`/${call}`)) ?? call;
const pathsOf = (call: string): string[] => [...ACCESS.keys()].filter((path) => path.endsWith(`/${call}`));

test('every call of the door’s table has a line here, and every line is a call', () => {
  const names = new Set([...ACCESS.keys()].map((path) => path.slice(path.lastIndexOf('/') + 1)));
  expect([...ROWS.keys()].sort()).toEqual([...names].sort());
  for (const [call, letters] of ROWS) expect([call, letters.length]).toEqual([call, WHO.length]);
});

describe.each([...ROWS])('%s', (call, letters) => {
  test.each(WHO.map((who, index) => [who, letters[index] as string] as const))('%s: %s', async (who, expected) => {
    const client = clientOf(who);
    const scopes = expected.length === 1 ? (['own'] as const) : SCOPES;
    for (const path of pathsOf(call)) {
      const failures = [];
      for (const scope of scopes) {
        const victim = expected.includes('y') && scope !== 'absent' ? await victimFor(call, who, scope) : 'nobody';
        const target = targetOf(who, scope, victim);
        failures.push(await client.failureOf(path, REQUESTS[call]?.(target) ?? {}));
      }
      const told = failures.map((failure) => failure?.details ?? 'done').join('\n');
      expect(failures.map(letterOf).join(''), told).toBe(expected);
      // Another tenant's and what does not exist cannot be told apart, but by the name that was asked for.
      if (expected.endsWith('nn')) expect(named(failures[1])).toBe(named(failures[2]));
    }
  });
});

const named = (failure: { details: string } | null | undefined): string =>
  (failure?.details ?? '').replace(/(W-jarvis|dragon-lin|nowhere)(\/u)?|order-(of-\S+|absent)/g, 'NAME');

test('what a viewer may not change is refused before any host hears of it, and is in the audit when it is told', async () => {
  asked.length = 0;
  const changing = [...ACCESS].filter(([, rule]) => rule.audit === 'before').map(([path]) => path);
  const viewer = clients.get('viewer') as AccessClient;
  const already = (await denialsOf('spiffe://home/operator/viewer')).length;
  for (const path of changing) {
    const request = REQUESTS[path.slice(path.lastIndexOf('/') + 1)]?.(targetOf('viewer', 'own')) ?? {};
    expect([path, letterOf(await viewer.failureOf(path, request))]).toEqual([path, 'x']);
  }
  const denied = (await denialsOf('spiffe://home/operator/viewer')).slice(already);
  expect(denied.map(({ verb }) => verb).filter((verb) => changing.includes(verb))).toEqual(changing);
  expect(asked).toEqual([]);
});

const denialsOf = async (actor: string): Promise<AuditRecord[]> =>
  cell.controller.admin(async (channel) => {
    const found: AuditRecord[] = [];
    const request = { follow: false, afterSequence: 0n, sinceMs: 0, newest: 0 };
    for await (const { records } of channel.stream(watchAudit, request, { deadlineMs: 10_000 })) {
      found.push(...records.filter((record) => record.actor === actor && record.outcome === 'denied'));
    }
    return found;
  });

test('a revoked operator is told so over a new connection, and gets nothing', async () => {
  const identity = await operatorOf(cell.controller, { name: 'leaver', role: 'admin' });
  const { addresses, trustBundlePem } = await quietHost(cell.controller, 'witness', 'default');
  const at = { address: addresses[0] as string, trustBundlePem };
  await cell.controller.ask(revokeOperator, { name: 'leaver' });
  const client = AccessClient.overTls(at, identity);
  try {
    for (const call of ['WatchAgents', 'ListOperators', 'WatchTerminal']) {
      const failure = await client.failureOf(pathOf(call), REQUESTS[call]?.(targetOf('local', 'own')) ?? {});
      expect([call, letterOf(failure), failure?.metadata.get('fleet-reason')]).toEqual([call, '-', ['revoked']]);
    }
  } finally {
    client.close();
  }
});
