/**
 * The last word of `npm test`. Comes in: the folder with each lane's report and exit status, and names of steps that
 * failed. Goes out: what failed, where the evidence is, and `N passed, N failed` alone on the last line.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

interface Report {
  numPassedTests: number;
  numFailedTests: number;
  testResults: { name: string; status: string; message: string; assertionResults: Assertion[] }[];
}

interface Assertion {
  fullName: string;
  status: string;
}

const [folder, ...failedSteps] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: verdict FOLDER [FAILED_STEP…]');

/** Names of what failed in a lane. A lane that ended badly without saying what failed is itself a failure. */
const failuresOf = (lane: string, report: Report | null, exit: string): string[] => {
  if (report === null) return [`${lane}: no report; it ended with ${exit}`];
  const tests = report.testResults.flatMap((file) => {
    const failed = file.assertionResults.filter((each) => each.status === 'failed').map((each) => each.fullName);
    const broken = file.status === 'failed' && failed.length === 0 ? [`(the file) ${file.message.split('\n')[0]}`] : [];
    return [...failed, ...broken].map((name) => `${lane}: ${relative('.', file.name)}: ${name}`);
  });
  return tests.length === 0 && exit !== '0' ? [`${lane}: ended with ${exit}, no test failed`] : tests;
};

let passed = 0;
const failures = failedSteps.map((step) => `step ${step}`);
for (const name of readdirSync(folder).filter((each) => each.endsWith('.exit'))) {
  const lane = name.replace(/\.exit$/, '');
  const path = join(folder, `${lane}.json`);
  const report = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Report) : null;
  passed += report?.numPassedTests ?? 0;
  failures.push(...failuresOf(lane, report, readFileSync(join(folder, name), 'utf8').trim()));
}

const lines = failures.map((failure) => `failed: ${failure}`);
if (failures.length > 0) lines.push(`reports and evidence: ${relative('.', folder)}/`);
process.stdout.write(`\n${lines.map((line) => `${line}\n`).join('')}${passed} passed, ${failures.length} failed\n`);
process.exitCode = failures.length === 0 && passed > 0 ? 0 : 1;
