/*
 * npm run screenshots: the pictures of docs/operators.md, taken from a hub of today's sources with the demo world, so that the guide never
 * shows another version than the one it stands beside.
 */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { logIn, open, openChromium, settled, takeSeat } from './kit/admin-browser.ts';
import { startHub } from './kit/hub.ts';

const folder = fileURLToPath(new URL('../docs/images/', import.meta.url));
const size = { width: 1280, height: 800 };
mkdirSync(folder, { recursive: true });

const hub = await startHub();
const browser = await openChromium();

async function picture(page: Page, name: string): Promise<void> {
  // What was just done is told for some seconds; the picture is of the screen.
  await page.waitForSelector('.notices p', { state: 'detached' });
  await page.screenshot({ path: `${folder}${name}.png`, animations: 'disabled' });
  process.stdout.write(`docs/images/${name}.png\n`);
}

async function personOf(page: Page, name: string): Promise<string> {
  await page.keyboard.press('/');
  await page.keyboard.type(name);
  await page.waitForSelector('[role=option] mark');
  return /citizens\/[0-9a-f-]{36}/.exec(await openFirst(page))?.[0] ?? '';
}

async function openFirst(page: Page): Promise<string> {
  await page.keyboard.press('Enter');
  await page.waitForURL(/show$/);
  await settled(page);
  return page.url();
}

try {
  const door = await takeSeat(browser, hub.address, { viewport: size });
  await door.page.waitForSelector('input[name=login]');
  await picture(door.page, 'dang-nhap');
  await door.context.close();

  const { page } = await logIn(browser, hub.address, 'clerk11', { viewport: size });
  await picture(page, 'viec-can-lam');
  await page.keyboard.press('/');
  await page.keyboard.type('nguyen van a');
  await page.waitForSelector('[role=option] mark');
  await picture(page, 'tim-nguoi');
  await page.keyboard.press('Escape');
  const an = await personOf(page, 'nguyen van an');
  await picture(page, 'ho-so');
  await page.click('button[aria-label="Vì sao: Điện thoại, tự khai"]');
  await page.waitForSelector('[role=dialog]');
  await picture(page, 'vi-sao');
  await page.keyboard.press('Escape');
  await open(page, hub.address, `/${an}?field=phone`);
  await page.waitForSelector('[name=phone]:focus');
  await page.keyboard.type('0912345678');
  await picture(page, 'sua-dien-thoai');

  const steward = await logIn(browser, hub.address, 'steward', { viewport: size });
  await open(steward.page, hub.address, `/${an}?field=phone`);
  await steward.page.fill('[name=phone]', '0987654321');
  await steward.page.click('button[type=submit]');
  await steward.page.waitForURL(/show$/);
  await page.keyboard.press('Enter');
  await page.waitForSelector('.conflict');
  await picture(page, 'hai-nguoi-cung-sua');

  await open(steward.page, hub.address, '/discrepancies');
  await steward.page.waitForSelector('.at-hand .big-value');
  await picture(steward.page, 'sai-lech');
  await open(steward.page, hub.address, '/imports');
  await picture(steward.page, 'nhap-du-lieu');
  await open(steward.page, hub.address, '/units');
  await picture(steward.page, 'don-vi');

  const auditor = await logIn(browser, hub.address, 'auditor', { viewport: size });
  await open(auditor.page, hub.address, '/audit');
  await auditor.page.fill('.by-number input', '038090000001');
  await auditor.page.keyboard.press('Enter');
  await auditor.page.waitForURL(/person=/);
  await settled(auditor.page);
  await picture(auditor.page, 'nhat-ky');
} finally {
  await browser.close();
  await hub.stop();
}
