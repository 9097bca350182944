/** Temporal's UI beside `dev`, in a real browser: what happened to one user's money can be read there, in words. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { chromium, type Page } from 'playwright-core';
import { findProgram } from '../../src/dev/processes.ts';
import { eventually } from '../support/eventually.ts';
import { PROGRAM } from '../support/product.ts';
import { startSystem, type ProducedRecord } from '../support/system.ts';

const CHROMIUM = findProgram('chromium', process.env['PATH']);
const NOT_HERE =
  CHROMIUM === undefined && process.env['CI'] === undefined ? 'needs the program chromium on the PATH' : false;
/** Where pictures of the pages are written, for docs/pictures; nowhere when it is not set. */
const PICTURES = process.env['TEST_PICTURES'];

const USER = '11111111-2222-4333-8444-555555555555';
const id = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const KNOWN = '5e551041-0000-4000-8000-000000000001';
const AWAITED = '3a17ed00-0000-4000-8000-000000000002';
const ASKED = '3ed1c0de-0000-4000-8000-000000000003';
const T = Date.parse('2026-01-31T10:00:00.000Z');
const MINUTE = 60_000;

function record(
  input: ProducedRecord['input'],
  type: string,
  n: number,
  minutes: number,
  fields: string,
  written = minutes,
): ProducedRecord {
  const processedAt = new Date(T + minutes * MINUTE).toISOString();
  return {
    input,
    key: USER,
    value: `{"type":"${type}","id":"${input === 'session' ? KNOWN : id(n)}","userId":"${USER}","processedAt":"${processedAt}",${fields}}`,
    timestamp: T + written * MINUTE,
  };
}

const money = (n: number, minutes: number, session: string, written = minutes): ProducedRecord =>
  record(
    'money',
    'PaymentEvent',
    n,
    minutes,
    `"userSessionId":"${session}","amount":10.50,"openingBalance":1,"closingBalance":11.50,"currency":"EUR","moneyType":"BET","paymentRelatedThing":"x","isOldMoneyEvent":false`,
    written,
  );

/** The line READY of a `dev` that is ended with the test. */
async function startDev(t: TestContext, env: Readonly<Record<string, string>>): Promise<Record<string, string>> {
  const child = spawn(process.execPath, [PROGRAM, 'dev'], {
    cwd: '/',
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  t.after(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  await eventually('dev is ready', () => stdout.includes('\n'), 90_000);
  return JSON.parse(stdout.slice('READY '.length)) as Record<string, string>;
}

test(
  "a user's money in Temporal's UI: details, summaries, a signal, the query",
  { skip: NOT_HERE, timeout: 240_000 },
  async (t) => {
    const system = await startSystem(t, { partitions: 1 });
    await system.produce([
      record('session', 'UserSessionCreatedEvent', 0, 0, '"clientCountryCode":"UY"'),
      money(1, 1, KNOWN),
      money(2, 2, AWAITED),
      record('user', 'OtherUserEvent', 3, 31, '"somethingUtil":"x"'),
      record('session', 'UserSessionClosedEvent', 4, 31, '"reason":"x"'),
      record('money', 'KindOfWalletEvent', 5, 31, '"somethingInteresting":"x"'),
      money(6, 7, ASKED, 32),
    ]);
    const { TEMPORAL_ADDRESS: _, ENRICHMENT_SESSION_SERVICE_URL: __, ...env } = system.env;
    // So late that its lookup is seen under way.
    const ready = await startDev(t, { ...env, ENRICHMENT_STAND_IN_DELAY: '1m', ENRICHMENT_IDLE_TIMEOUT: '1s' });
    await eventually('what needs no waiting is out', () => system.outputs.length === 1, 60_000);

    const browser = await chromium.launch({
      executablePath: CHROMIUM!,
      args: [
        ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
        ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
      ],
    });
    t.after(() => browser.close());
    const page = await browser.newPage({ viewport: { width: 1500, height: 1300 } });
    const workflow = encodeURIComponent(`${system.config.appId}/${USER}`);
    await page.goto(`${ready['temporalUi']}/namespaces/default/workflows/${workflow}`);
    await page.waitForURL(/\/(timeline|history)/);
    const run = page.url().replace(/\/(timeline|history).*$/, '');

    await t.test('the history says what activities and timers are for, and a signal is readable', async () => {
      await page.goto(`${run}/history`);
      await reads(page, [
        "enriches one user's money",
        'lookup of session 3ed1c0de, 23 min late',
        'money waits for its session until then',
      ]);
      await page.getByText('Workflow Execution Signaled').last().click();
      // The page draws the lines that fit.
      await reads(page, ['"sessionTtl": 86400000', `"sessionId": "${KNOWN}"`, '"clientCountryCode": "UY"']);
      await picture(page, 'temporal-ui-signal');
    });

    await t.test('the details are tables of what waits and why, and of what came out', async () => {
      await page.goto(`${run}/user-metadata`);
      await reads(page, [
        'Money that waits for its session',
        AWAITED,
        '2026-01-31T11:02:00.000Z',
        'Lookups under way',
        ASKED,
        'Last outputs',
        'at once, or with its session',
      ]);
      await picture(page, 'temporal-ui-details');
    });

    await t.test('the query shows the state', async () => {
      await page.goto(`${run}/query`);
      // The field of the list takes no clicks itself.
      await page.locator('#query-select').locator('xpath=..').click();
      await page.getByText('state', { exact: true }).filter({ visible: true }).click();
      await page.getByText('Run Query').click();
      await reads(page, ['"effectiveTime": "2026-01-31T10:30:40.000Z"', '"clientCountryCode": "UY"']);
      await picture(page, 'temporal-ui-query');
    });
  },
);

/** Details are in a frame of their own. */
async function reads(page: Page, words: readonly string[]): Promise<void> {
  let text = '';
  await eventually(
    `the page says: ${words.join(' | ')}`,
    async () => {
      text = (await Promise.all(page.frames().map((frame) => frame.innerText('body').catch(() => '')))).join('\n');
      return words.every((word) => text.includes(word));
    },
    20_000,
  ).catch((error: unknown) => assert.fail(`${String(error)}; it says:\n${text.slice(0, 5_000)}`));
}

async function picture(page: Page, name: string): Promise<void> {
  if (PICTURES !== undefined) await page.screenshot({ path: join(PICTURES, `${name}.png`) });
}
