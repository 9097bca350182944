/** Pages of Temporal's UI in a real browser. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { chromium, type Page } from 'playwright-core';
import { findProgram } from '../../src/dev/processes.ts';
import { eventually } from './eventually.ts';

const CHROMIUM = findProgram('chromium', process.env['PATH']);
/** Why there is no browser, or false; in CI there has to be one. */
export const NO_BROWSER =
  CHROMIUM === undefined && process.env['CI'] === undefined ? 'needs the program chromium on the PATH' : false;
/** Where pictures of the pages are written, for docs/pictures; nowhere when it is not set. */
const PICTURES = process.env['TEST_PICTURES'];
/** In pixels. The UI puts the details of a workflow into one half of it. */
export const WINDOW = { width: 1_600, height: 1_900 };

export async function openBrowser(t: TestContext): Promise<Page> {
  const browser = await chromium.launch({
    executablePath: CHROMIUM!,
    args: [
      ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ],
  });
  t.after(() => browser.close());
  return browser.newPage({ viewport: WINDOW });
}

/** Details are in a frame of their own. */
export async function reads(page: Page, words: readonly string[]): Promise<void> {
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

/** The details, in a window so wide: no table is wider than its frame, and no text touches that of the next cell. */
export async function detailsFit(page: Page, width: number): Promise<void> {
  await page.setViewportSize({ ...WINDOW, width });
  const frame = page.frames().findLast((one) => one.url().includes('/render?'));
  assert.ok(frame, 'the frame of the details, after the one of the summary');
  // Run in the page, and no TypeScript for it: it has another world than this one.
  const found = await frame.evaluate<{ gaps: number[]; over: number }>(`(() => {
    const gaps = [...document.querySelectorAll('tr')].flatMap((row) => {
      const texts = [...row.cells].filter((cell) => cell.innerText.trim() !== '').map((cell) => {
        const range = document.createRange();
        range.selectNodeContents(cell);
        return range.getBoundingClientRect();
      });
      return texts.slice(1).map((next, n) => next.left - texts[n].right);
    });
    const { scrollWidth, clientWidth } = document.documentElement;
    return { gaps, over: scrollWidth - clientWidth };
  })()`);
  const told = `${width} pixels: ${JSON.stringify(found)}`;
  assert.ok(found.gaps.length > 0 && Math.min(...found.gaps) >= 8, told);
  assert.equal(found.over, 0, told);
}

/** Of the page without what is around it, down to the last of `end`. */
export async function picture(page: Page, name: string, end: string): Promise<void> {
  if (PICTURES === undefined) return;
  const content = await page.locator('#content').boundingBox();
  const last = await page.locator(end).filter({ visible: true }).last().boundingBox();
  assert.ok(content && last, `${name}: ${end}`);
  const height = last.y + last.height + 16 - content.y;
  await page.screenshot({ path: join(PICTURES, `${name}.png`), clip: { ...content, height } });
}

/** Of all that is in the window. */
export async function pictureOfAll(page: Page, name: string): Promise<void> {
  if (PICTURES !== undefined) await page.screenshot({ path: join(PICTURES, `${name}.png`) });
}
