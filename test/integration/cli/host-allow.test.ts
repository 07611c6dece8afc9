import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ServedOrders } from './served-orders.ts';

let served: ServedOrders;

beforeEach(async () => {
  served = await ServedOrders.begun();
});

afterEach(() => served.dispose());

describe('fleet host allow', () => {
  beforeEach(async () => {
    await served.startController();
    served.answers.allowVerbs = ({ request }) => ({ verbs: request.verbs });
  });

  test('replaces what callers there may do, and says what that is now', async () => {
    expect(await served.fleet('host', 'allow', 'W-jarvis/jarvis', 'send', 'takeover')).toEqual({
      code: 0,
      stdout: 'callers of jarvis on W-jarvis may do elsewhere: send takeover\n',
      stderr: '',
    });
    expect(JSON.parse((await served.fleet('host', 'allow', 'W-jarvis', '--none', '-o', 'json')).stdout)).toEqual({
      schema: 'fleet.allowed/v1',
      host: 'W-jarvis',
      user: null,
      verbs: [],
    });
    expect(served.calls('allowVerbs').map(({ request }) => request)).toEqual([
      { host: 'W-jarvis', user: 'jarvis', verbs: ['send', 'takeover'] },
      { host: 'W-jarvis', user: '', verbs: [] },
    ]);
  });

  test.each([['W-jarvis'], ['W-jarvis', 'send', '--none'], ['W-jarvis/', 'send'], ['a/b/c', 'send']])(
    'fleet host allow %s %s %s changes nothing',
    async (...args) => {
      expect((await served.fleet('host', 'allow', ...args)).code).toBe(2);
      expect(served.calls('allowVerbs')).toEqual([]);
    },
  );
});
