/** Temporal's UI beside `dev`, in a real browser: what happened to one user's money can be read there, in words. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test, type TestContext } from 'node:test';
import type { Page } from 'playwright-core';
import { detailsFit, NO_BROWSER, openBrowser, picture, pictureOfAll, reads, WINDOW } from '../support/browser.ts';
import { eventually } from '../support/eventually.ts';
import { PROGRAM } from '../support/product.ts';
import { startSystem, type ProducedRecord } from '../support/system.ts';

/** Of windows, in pixels: a laptop's, and the one of the pictures. */
const WIDTHS = [1_280, WINDOW.width];
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

const money = (n: number, minutes: number, what: string, session: string, written = minutes): ProducedRecord => {
  const [moneyType, amount] = what.split(' ');
  return record(
    'money',
    'PaymentEvent',
    n,
    minutes,
    `"userSessionId":"${session}","amount":${amount},"openingBalance":1,"closingBalance":11.50,"currency":"EUR","moneyType":"${moneyType}","paymentRelatedThing":"x","isOldMoneyEvent":false`,
    written,
  );
};

/** Starts a command that is ended with the test; returns what it has said so far. */
function start(t: TestContext, args: readonly string[], env: NodeJS.ProcessEnv): () => string {
  const child = spawn(process.execPath, [PROGRAM, ...args], { cwd: '/', env, stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  t.after(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  return () => stdout;
}

/** The line READY of a `dev`. */
async function startDev(t: TestContext, env: Readonly<Record<string, string>>): Promise<Record<string, string>> {
  const said = start(t, ['dev'], { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env });
  await eventually('dev is ready', () => said().includes('\n'), 90_000);
  return JSON.parse(said().slice('READY '.length)) as Record<string, string>;
}

test(
  "a user's money in Temporal's UI: details, summaries, a signal, a lookup, the query",
  { skip: NO_BROWSER, timeout: 240_000 },
  async (t) => {
    const system = await startSystem(t, { partitions: 1 });
    await system.produce([
      record('session', 'UserSessionCreatedEvent', 0, 0, '"clientCountryCode":"UY"'),
      record('user', 'ChangeBirthDateEvent', 7, 0.1, '"birthYear":"1984","birthCityPlace":"x"'),
      record('user', 'ChangeAddressEvent', 8, 0.2, '"address":"x","residentCountryCode":"DE","postalCode":"x"'),
      money(1, 1, 'DEPOSIT 250.00', KNOWN),
      money(9, 4, 'BET 10.50', KNOWN),
      money(2, 5, 'BET 3.00', AWAITED),
      money(10, 6, 'BET 0.10', KNOWN),
      record('user', 'OtherUserEvent', 3, 31, '"somethingUtil":"x"'),
      record('session', 'UserSessionClosedEvent', 4, 31, '"reason":"x"'),
      record('money', 'KindOfWalletEvent', 5, 31, '"somethingInteresting":"x"'),
    ]);
    const { TEMPORAL_ADDRESS: _, ENRICHMENT_SESSION_SERVICE_URL: __, ...env } = system.env;
    const ready = await startDev(t, {
      ...env,
      ENRICHMENT_IDLE_TIMEOUT: '1s',
      // The answer comes so late that the lookup is seen under way.
      ENRICHMENT_STAND_IN_DELAY: '1m',
      ENRICHMENT_LOOKUP_TIMEOUT: '20s',
    });
    await eventually('what needs no waiting is out', () => system.outputs.length === 3, 60_000);
    await system.produce([money(6, 7.5, 'WIN 8.00', ASKED, 32)]);

    const page = await openBrowser(t);
    const workflow = encodeURIComponent(`${system.config.appId}/${USER}`);
    await page.goto(`${ready['temporalUi']}/namespaces/default/workflows/${workflow}`);
    await page.waitForURL(/\/(timeline|history)/);
    const run = page.url().replace(/\/(timeline|history).*$/, '');

    await t.test('the history says what activities and timers are for', async () => {
      await page.goto(`${run}/history`);
      await reads(page, [
        "enriches one user's money",
        'lookup of session 3ed1c0de, 23 min late',
        'money waits for its session until then',
      ]);
    });

    await t.test('a signal has events as they were sent', async () => {
      await openEvent(page, 'Workflow Execution Signaled');
      const editor = page.locator('.cm-editor').filter({ visible: true }).last();
      // The button beside the one that copies: the page draws only lines that fit, and now all of them do.
      await editor.locator('xpath=ancestor::*[.//button][1]').locator('button').last().click();
      await reads(page, ['"sessionTtl": 86400000', '"late": ', `"userSessionId": "${ASKED}"`, '"amount": "8.00"']);
      await page.setViewportSize({ width: 1_000, height: 880 });
      await pictureOfAll(page, 'temporal-ui-signal');
      await page.setViewportSize(WINDOW);
    });

    await t.test('a lookup says for which session it is, and how long it may take', async () => {
      await page.goto(`${run}/history`);
      await openEvent(page, 'lookup of session 3ed1c0de, 23 min late');
      await reads(page, ['lookupSessions', `"${ASKED}"`, '"giveUpAt"']);
      await picture(page, 'temporal-ui-lookup', 'text=Show Next 10');
    });

    await t.test('the details are tables of what waits and why, and of what came out', async () => {
      await page.goto(`${run}/user-metadata`);
      await reads(page, [
        'Money that waits for its session',
        `BET 3.00 EUR of 2026-01-31T10:05:00.000Z ${id(2)}`,
        `for session ${AWAITED}, which is looked up when event time passes 2026-01-31T11:05:00.000Z`,
        'Lookups under way',
        `for session ${ASKED}`,
        'from 2026-01-31T10:00:00.000Z until 2026-02-01T10:00:00.000Z',
        'Last outputs',
        'user 1984 DE, client in UY, first of its type',
        'at once, or with its session, at offset ',
      ]);
      await picture(page, 'temporal-ui-details', 'iframe');
      for (const width of WIDTHS) await detailsFit(page, width);
    });

    await t.test('the query shows the state', async () => {
      await page.goto(`${run}/query`);
      // The field of the list takes no clicks itself.
      await page.locator('#query-select').locator('xpath=..').click();
      await page.getByText('state', { exact: true }).filter({ visible: true }).click();
      await page.getByText('Run Query').click();
      await reads(page, ['"effectiveTime": "2026-01-31T10:3', '"clientCountryCode": "UY"']);
      await picture(page, 'temporal-ui-query', '.cm-editor');
    });
  },
);

/** The page of an event of the history whose line has this text: the newest of them. */
async function openEvent(page: Page, text: string): Promise<void> {
  const link = "a[contains(@href, '/events/')]";
  await page.getByText(text).first().locator(`xpath=ancestor::*[.//${link}][1]//${link}`).first().click();
  await page.waitForURL(/\/events\//);
}

test(
  "the demo ends with the address of a page that says what became of one user's money",
  { skip: NO_BROWSER, timeout: 300_000 },
  async (t) => {
    const { KAFKA_BROKERS: _, TEMPORAL_ADDRESS: __, ...env } = process.env;
    const args = ['demo', '--keep', '--events', '200', '--users', '10', '--partitions', '1', '--no-kill'];
    const said = start(t, args, env);
    await eventually('the demo has said all', () => said().includes('Try in another terminal'), 240_000);
    assert.match(said(), /^RIGHT: /m);
    const [address = ''] = /^ {2}http:\S+\/user-metadata$/m.exec(said()) ?? assert.fail(said());
    const page = await openBrowser(t);
    await page.goto(address.trim());
    await reads(page, [
      'Money: 12 applied, 1 duplicate dropped, 12 published',
      ': expired',
      'Last outputs: 12, of which 5 are shown',
      'user 1984 ',
      ', first of its type',
      ', at offset ',
    ]);
    await picture(page, 'temporal-ui-demo', 'iframe');
    for (const width of WIDTHS) await detailsFit(page, width);
  },
);
