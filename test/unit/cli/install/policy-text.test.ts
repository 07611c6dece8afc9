import { expect, test } from 'vitest';
import { policyText, readPolicy, shownPolicy } from '../../../../src/cli/install/policy-text.ts';

test('one thing is changed, and every other key stays as it was', () => {
  const text = '{"control":"send","federated":"send","takeover":false,"federated_takeover":true}';
  const document = readPolicy(text, 'f');
  expect(JSON.parse(policyText(document, { control: 'deploy' }))).toEqual({ ...document, control: 'deploy' });
  expect(JSON.parse(policyText(document, { takeover: true }))).toEqual({ ...document, takeover: true });
  expect(JSON.parse(policyText(document, { federatedTakeover: false }))).toEqual({
    ...document,
    federated_takeover: false,
  });
});

test('where there is no file it begins with what held without one', () => {
  expect(shownPolicy(readPolicy(null, 'f'))).toEqual({
    control: 'lifecycle',
    takeover: true,
    federated: 'observe',
    federatedTakeover: false,
  });
  expect(JSON.parse(policyText({}, { takeover: false }))).toEqual({
    control: 'lifecycle',
    federated: 'observe',
    takeover: false,
  });
});

test.for([
  ['{', 'it is no JSON'],
  ['', 'it is no JSON'],
  ['[]', 'it is no JSON object'],
  ['null', 'it is no JSON object'],
  ['{"control":"everything"}', 'its "control" is "everything"'],
  ['{"takeover":"no"}', 'its "takeover" is "no"'],
  ['{"constructor":1}', 'it has the key "constructor"'],
] as const)('%j is no policy, and is not written over', ([text, why]) => {
  expect(() => readPolicy(text, '/p')).toThrow(`/p: ${why}, so that only looking is allowed there: mend it by hand`);
});
