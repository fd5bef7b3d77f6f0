import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { Hands, keptByBrowser, logIn, open, openChromium, settled, type Seat } from '../kit/admin-browser.ts';
import { StewardHands } from '../kit/admin-world.ts';
import { startHub, type TestHub } from '../kit/hub.ts';
import { behave } from '../kit/reconcile-drill.ts';

/*
 * The admin in a real browser, on a whole hub with the demo world: people log in as they do, and do what they come for. Acts beyond the
 * letters of the datum itself are counted from the dashboard on, printed, and held to a limit.
 */

let hub: TestHub;
let browser: Browser;
/** One person each, at one desk for all of the file. */
let clerk: Seat;
let steward: Seat;
const counted: string[] = [];

beforeAll(async () => {
  [hub, browser] = await Promise.all([startHub(), openChromium()]);
  clerk = await logIn(browser, hub.address, 'clerk11');
  steward = await logIn(browser, hub.address, 'steward');
}, 240_000);
afterAll(async () => {
  process.stdout.write(`acts: ${counted.join(' · ')}\n`);
  await browser.close();
  await hub.stop();
}, 60_000);

function atMost(limit: number, what: string, hands: Hands): void {
  counted.push(`${what} ${hands.acts} (≤ ${limit})`);
  expect(hands.acts).toBeLessThanOrEqual(limit);
}

/** From the dashboard to a person's page. */
async function find(page: Page, hands: Hands, name: string): Promise<string> {
  await hands.press('/');
  await hands.type(name);
  await page.waitForSelector('[role=option] mark');
  await hands.press('Enter');
  await page.waitForURL(/citizens\/[0-9a-f-]{36}\/show/);
  await settled(page);
  return /citizens\/([0-9a-f-]{36})/.exec(page.url())?.[1] ?? '';
}

test('a clerk finds a person, learns why a field is yellow, and sees a number on a stated purpose', async () => {
  const { page, problems } = clerk;
  await open(page, hub.address, '/');
  const hands = new Hands(page);
  await find(page, hands, 'nguyen van a');
  atMost(3, 'find a person', hands);
  expect(await page.textContent('h1')).toBe('Nguyễn Văn An');
  expect(await page.textContent('.summary')).toContain('038•••••0001');
  const why = new Hands(page);
  await why.click('button[aria-label="Vì sao: Điện thoại, tự khai"]');
  expect(await page.textContent('[role=dialog]')).toContain('chưa có nguồn tin cậy nào xác nhận');
  atMost(1, 'learn why a field is yellow', why);
  await page.keyboard.press('Escape');
  await page.click('.reveal');
  await page.click('[role=dialog] button >> nth=0');
  await page.waitForSelector('text=038090000001');
  const kept = await keptByBrowser(page);
  for (const personal of ['038090000001', 'Nguyễn', 'nguyen', '038•']) expect(kept).not.toContain(personal);
  expect(problems).toEqual([]);
});

test('a clerk corrects a phone and sees it in the history; nothing of it stays in the browser', async () => {
  const { page, problems } = clerk;
  await open(page, hub.address, '/');
  const hands = new Hands(page);
  await find(page, hands, 'nguyen van a');
  await hands.click('[aria-label="Sửa Điện thoại"]');
  await page.waitForSelector('[name=phone]:focus');
  await hands.type('0912 345 678');
  await hands.press('Enter');
  await page.waitForURL(/show$/);
  await page.waitForSelector('.history ins:text-is("0912•••678")');
  atMost(7, 'correct a phone, with finding', hands);
  expect(await page.textContent('.history li')).toContain('Sửa trực tiếp');
  expect(await page.textContent('.history li')).toContain('Cán bộ trạm x11');
  const kept = await keptByBrowser(page);
  for (const personal of ['0912', '345 678', '0912345678', 'Nguyễn']) expect(kept).not.toContain(personal);
  expect(problems).toEqual([]);
});

test('a refusal stands beside its field, in words; what was typed is still there after going away', async () => {
  const { page, problems } = clerk;
  await open(page, hub.address, '/');
  await find(page, new Hands(page), 'nguyen van a');
  await page.click('text="Sửa" >> nth=0');
  await page.waitForSelector('form');
  await page.fill('[name=dateOfBirth]', '31/02/1990');
  await page.fill('[name=personalId]', '038');
  await page.keyboard.press('Enter');
  // What can be seen here is told here; the rest the hub says.
  expect(await page.textContent('.field:has([name=personalId]) .wrong')).toBe('12 chữ số, ghi cả số 0 ở đầu.');
  await page.fill('[name=personalId]', '038•••••0001');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.field:has([name=dateOfBirth]) .wrong');
  expect(await page.textContent('.field:has([name=dateOfBirth]) .wrong')).toContain('không có trong lịch');
  expect(await page.getAttribute('[name=dateOfBirth]', 'aria-invalid')).toBe('true');
  await page.keyboard.press('Escape');
  await page.waitForURL(/show$/);
  await page.click('text="Sửa tiếp"');
  await page.waitForSelector('.resumed');
  expect(await page.inputValue('[name=dateOfBirth]')).toBe('31/02/1990');
  await page.click('.resumed button');
  expect(await page.inputValue('[name=dateOfBirth]')).toBe('15/03/1990');
  expect(problems).toEqual([]);
});

test('what was typed outlives a reload and follows to another desk; a log-out ends it, and nothing stays in the browser', async () => {
  const desk = await logIn(browser, hub.address, 'centre1');
  const { page, problems } = desk;
  await find(page, new Hands(page), 'tran thanh binh');
  const form = page.url().replace(/\/show$/, '');
  await page.goto(form);
  await page.fill('[name=phone]', '0987 654 321');
  await page.waitForSelector('.draft-state:has-text("Đã giữ nháp")');
  expect(await keptByBrowser(page)).not.toMatch(/0987|654/);
  await page.reload();
  await page.waitForSelector('.resumed');
  expect(await page.inputValue('[name=phone]')).toBe('0987 654 321');
  const other = await logIn(browser, hub.address, 'centre1');
  await other.page.click('.unfinished a');
  await other.page.waitForSelector('.resumed');
  expect(await other.page.inputValue('[name=phone]')).toBe('0987 654 321');
  await other.context.close();
  await page.click('.account');
  await page.click('text=Đăng xuất');
  await page.fill('input[name=login]', 'centre1');
  await page.fill('input[name=password]', 'lien-thong-demo');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.who-unit');
  await settled(page);
  expect(await page.$('.unfinished')).toBeNull();
  await page.goto(form);
  await page.waitForSelector('[name=phone]');
  expect([await page.$('.resumed'), await page.inputValue('[name=phone]')]).not.toContain('0987 654 321');
  expect(problems).toEqual([]);
  await desk.context.close();
});

test('two people at one record: the second sees both sides, chooses, and nothing is lost', async () => {
  await open(clerk.page, hub.address, '/');
  const an = await find(clerk.page, new Hands(clerk.page), 'nguyen van a');
  await open(clerk.page, hub.address, `/citizens/${an}?field=nativePlace`);
  await clerk.page.fill('[name=nativePlace]', 'Bình Định');
  await clerk.page.fill('[name=email]', 'an@example.vn');
  await open(steward.page, hub.address, `/citizens/${an}?field=nativePlace`);
  await steward.page.fill('[name=nativePlace]', 'Phú Yên');
  await steward.page.fill('[name=birthplace]', 'Quy Nhơn');
  await steward.page.click('button[type=submit]');
  await steward.page.waitForURL(/show$/);
  await clerk.page.click('button[type=submit]');
  await clerk.page.waitForSelector('.conflict');
  const sides = await clerk.page.textContent('.conflict');
  for (const value of ['Bình Định', 'Phú Yên', 'Quy Nhơn', 'an@example.vn', 'Cả hai giữ nguyên: Họ và tên'])
    expect(sides).toContain(value);
  // A field that both changed is chosen by a person, never beforehand.
  expect(await clerk.page.isDisabled('.conflict button')).toBe(true);
  await clerk.page.check('.conflict tr:has-text("Quê quán") input >> nth=0');
  await clerk.page.click('.conflict button');
  await clerk.page.waitForURL(/show$/);
  await clerk.page.waitForSelector('.history ins:text-is("Bình Định")');
  for (const value of ['Bình Định', 'Quy Nhơn', 'a•••••@example.vn'])
    await clerk.page.waitForSelector(`.identity:has-text("${value}")`);
  await clerk.page.click('.history li:first-child .undo');
  await clerk.page.waitForSelector('.history li:first-child strong:text-is("Hoàn tác")');
  await clerk.page.waitForSelector('.identity:has-text("Phú Yên")');
  expect([...clerk.problems, ...steward.problems]).toEqual([]);
});

test('a card is added, withdrawn with a reason, and then closed', async () => {
  const { page, problems } = clerk;
  await open(page, hub.address, '/');
  await find(page, new Hands(page), 'nguyen van a');
  await page.click('.block-head:has-text("Thẻ BHYT") >> text="Thêm mới"');
  await page.waitForSelector('.chosen:has-text("Nguyễn Văn An")');
  await page.fill('[name=number]', 'DN438012345678');
  await page.keyboard.press('Enter');
  expect(await page.textContent('.field:has([name=number]) .wrong')).toContain('15 ký tự');
  await page.fill('[name=number]', 'DN 4 38 0123456789');
  await page.fill('[name=validFrom]', '01/01/2024');
  await page.fill('[name=validTo]', '31/12/2024');
  await page.keyboard.press('Enter');
  await page.waitForURL(/cards\/[0-9a-f-]{36}\/show/);
  await settled(page);
  expect(await page.textContent('.facts')).toContain('31/12/2024');
  await page.click('text="Rút"');
  await page.waitForSelector('form [name=reason]');
  await page.keyboard.type('nhập nhầm người');
  await page.click('button[type=submit]');
  await page.waitForSelector('.facts:has-text("Nhập nhầm, đã rút")');
  // What cannot be done says why where it is pressed.
  await page.focus('text="Sửa"');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.why-not:has-text("Đã rút nên không sửa được nữa")');
  expect(problems).toEqual([]);
});

test('scripts in fields stay text, and the policy has nothing to report [A37]', async () => {
  const { page, problems } = clerk;
  await open(page, hub.address, '/');
  const an = await find(page, new Hands(page), 'nguyen van a');
  await open(page, hub.address, `/citizens/${an}?field=birthplace`);
  const hostile = {
    birthplace: 'javascript:alert(1)',
    nativePlace: '<svg onload="globalThis.ran=1">',
    'currentAddress.text': '<img src=x onerror=ran=1>',
  };
  for (const [name, text] of Object.entries(hostile)) await page.fill(`[name="${name}"]`, text);
  await page.click('button[type=submit]');
  await page.waitForURL(/show$/);
  await settled(page);
  await page.waitForSelector('.history ins:text-is("javascript:alert(1)")');
  for (const text of Object.values(hostile)) expect(await page.textContent('main')).toContain(text);
  expect(await page.evaluate<number>(`document.querySelectorAll('main a[href^="javascript"]').length`)).toBe(0);
  expect(await page.evaluate<unknown[]>('[globalThis.ran ?? null, refused]')).toEqual([null, []]);
  expect(problems).toEqual([]);
});

test('another page cannot frame the admin, nor use the cookie of who is logged in [A40]', async () => {
  const { page, context } = clerk;
  const hostile: Server = createServer((_, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(`<iframe name=inside src="${hub.address}/"></iframe>
      <form method=post enctype="text/plain" action="${hub.address}/graphql"><input name='{"query":"{ me { name } }","x":"' value='"}'></form>`);
  });
  await new Promise<void>((resolve) => hostile.listen(0, '127.0.0.1', resolve));
  try {
    const other = await context.newPage();
    await other.goto(`http://127.0.0.1:${(hostile.address() as AddressInfo).port}/`);
    const inside = other.frame({ name: 'inside' });
    expect(await inside?.evaluate('document.body === null ? "" : document.body.innerText').catch(() => '')).not.toContain(
      'Liên Thông',
    );
    const [answer] = await Promise.all([
      other.waitForResponse((response) => response.url().endsWith('/graphql')),
      other.evaluate('document.forms[0].submit()'),
    ]);
    expect(answer.status()).toBeGreaterThanOrEqual(400);
    expect(await answer.text()).not.toContain('x11');
    const [cookie] = await context.cookies(hub.address);
    expect([cookie?.httpOnly, cookie?.sameSite]).toEqual([true, 'Strict']);
  } finally {
    hostile.close();
  }
  await open(page, hub.address, '/citizens');
});

test('the steward settles by the keyboard alone, and undoes; the clerk of another station sees nothing of her [A08]', async () => {
  await open(clerk.page, hub.address, '/');
  for (const typed of ['le thi chi', '038192000003']) {
    await clerk.page.keyboard.press('/');
    await clerk.page.keyboard.type(typed);
    await clerk.page.waitForSelector('text=Không tìm thấy trong các đơn vị của anh chị');
    await clerk.page.keyboard.press('Escape');
  }
  const { page, problems } = steward;
  await open(page, hub.address, '/');
  await page.keyboard.press('g');
  await page.keyboard.press('d');
  await page.waitForSelector('.at-hand');
  await page.waitForSelector('.desk > li[aria-current]:focus');
  for (let row = 0; row < 30 && (await page.textContent('.desk [aria-current] strong')) !== 'Lê Thị Chi'; row += 1)
    await page.keyboard.press('j');
  expect(await page.textContent('.at-hand')).toContain('ngày và tháng đảo chỗ');
  expect(await page.textContent('.at-hand')).toContain('11/02/1992');
  const chi = (await page.getAttribute('.at-hand a', 'href'))?.replace('#', '') ?? '';
  const hands = new Hands(page);
  await hands.press('1');
  await page.waitForSelector('.desk-line:has-text("Lê Thị Chi"):has-text("✓ giữ của ta")');
  atMost(1, 'settle a discrepancy', hands);
  await page.keyboard.press('u');
  await page.waitForSelector('.desk-line:has-text("Lê Thị Chi"):has-text("đã hoàn tác")');
  await page.keyboard.press('2');
  await page.waitForSelector('.desk-line:has-text("Lê Thị Chi"):has-text("✓ lấy của bên kia")');
  await open(page, hub.address, chi);
  expect(await page.textContent('.identity')).toContain('11/02/1992');
  await page.waitForSelector('.history li:first-child ins:text-is("11/02/1992")');
  expect(problems).toEqual([]);
  // Neither by her address, nor in a list, a count or a file of one's own.
  await open(clerk.page, hub.address, chi);
  expect(await clerk.page.textContent('main')).not.toContain('Chi');
  expect(await clerk.page.textContent('[role=alert]')).toContain('Không có trong các đơn vị của anh chị');
  await open(clerk.page, hub.address, `/discrepancies?citizen=${/[0-9a-f-]{36}/.exec(chi)?.[0] ?? ''}`);
  await clerk.page.waitForSelector('text=Không có dòng nào khớp');
});

test('a run is started, watched to its end, and what it found waits at the desk', async () => {
  const { page, problems } = steward;
  await open(page, hub.address, '/discrepancies');
  await page.waitForSelector('.desk > li');
  expect(await page.$('.desk > li >> nth=20')).toBeNull();
  await open(page, hub.address, '/runs');
  await page.click('text="Đối soát ngay"');
  await page.waitForURL(/runs\/[0-9a-f-]{36}\/show/);
  await page.waitForSelector('.run h2:has-text("Đang chạy"), .run h2:has-text("Đã xong")');
  await page.waitForSelector('.run h2:text-is("Đối soát: Đã xong")', { timeout: 90_000 });
  expect(await page.textContent('.run')).toContain('khớp');
  await open(page, hub.address, '/discrepancies');
  await page.waitForSelector('.desk > li >> nth=20');
  expect(problems).toEqual([]);
}, 120_000);

test('what failed in a run is run again, and then nothing of it is left', async () => {
  const { page, problems } = steward;
  const other = await StewardHands.of(hub);
  await behave(hub.dataDir, { mode: 'moved', share: 0.01 });
  const run = await other.startReconcile();
  await other.run(run, ({ state, refused }) => state === 'DONE' && Number(refused) > 0);
  await behave(hub.dataDir, {});
  await open(page, hub.address, '/');
  const hands = new Hands(page);
  await hands.click('.dashboard h2 a[href="#/runs"]');
  await page.waitForSelector('tbody .row-link');
  await hands.click('tbody .row-link >> nth=0');
  await page.waitForURL(new RegExp(run));
  await page.waitForSelector('.run button:text-is("Chạy lại phần lỗi")');
  await hands.click('.run button:text-is("Chạy lại phần lỗi")');
  atMost(3, 're-run what failed', hands);
  await other.run(run, ({ state, refused }) => state === 'DONE' && refused === 0);
  await page.waitForSelector('.run h2:text-is("Đối soát: Đã xong")', { timeout: 60_000 });
  await page.waitForSelector('.run button', { state: 'detached' });
  expect(problems).toEqual([]);
}, 120_000);

test('what a hospital signed is never edited: its status goes on, or it is withdrawn', async () => {
  const { page, problems } = clerk;
  await open(page, hub.address, '/');
  await find(page, new Hands(page), 'nguyen van a');
  await page.click('a:has-text("Hẹn khám")');
  await page.waitForSelector('.facts:has-text("Bệnh viện ký số")');
  expect(await page.textContent('.resumed')).toContain('nội dung không bao giờ sửa');
  expect(await page.textContent('.title-line .acts')).not.toContain('Sửa');
  await page.click('text="Đổi trạng thái"');
  await page.waitForSelector('form [name=status]');
  const names = await page.evaluate<string[]>(
    `[...document.querySelectorAll('form [name]')].map((field) => field.getAttribute('name'))`,
  );
  expect(names.sort()).toEqual(['status', 'trueFrom']);
  await page.selectOption('[name=status]', 'USED');
  await page.click('button[type=submit]');
  await page.waitForURL(/show$/);
  await page.waitForSelector('.facts:has-text("Đã dùng")');
  await page.focus('text="Đổi trạng thái"');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.why-not:has-text("bệnh viện phát hành phiếu thay thế")');
  await page.click('text="Rút"');
  await page.waitForSelector('form [name=reason]');
  await page.keyboard.type('cấp nhầm người');
  await page.click('button[type=submit]');
  await page.waitForSelector('.facts:has-text("Nhập nhầm, đã rút")');
  expect(await page.textContent('.history')).toContain('Lý do rútcấp nhầm người');
  expect(problems).toEqual([]);
});

test('a file of 1,000 rows with 10 bad ones comes in; the bad ones are downloaded, mended and sent again', async () => {
  const { page, problems } = steward;
  await open(page, hub.address, '/');
  const row = (index: number, day: string): string => `Trần Thị Nhập ${'Ă'.repeat((index % 9) + 1)},${day},2,x12,walk-${index}`;
  const rows = Array.from({ length: 1_000 }, (_, index) => row(index, index % 100 === 7 ? '31/02/1990' : '15/03/1990'));
  const csv = ['full_name,date_of_birth,gender,unit_code,source_key', ...rows, ''].join('\n');
  const hands = new Hands(page);
  await hands.press('g');
  await hands.press('n');
  await page.waitForSelector('.drop');
  await hands.give('.drop input', { name: 'tram-x12.csv', mimeType: 'text/csv', buffer: Buffer.from(csv) });
  await page.waitForURL(/imports\/[0-9a-f-]{36}\/show/);
  await page.waitForSelector('button:text-is("Nhập 990 dòng"):focus', { timeout: 60_000 });
  await hands.press('Enter');
  atMost(4, 'import a file', hands);
  await page.waitForSelector('.run h2:has-text("Đã xong")', { timeout: 60_000 });
  expect(await page.textContent('.run')).toContain('990');
  expect(await page.textContent('table')).toContain('không có trong lịch');
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('text="Tải các dòng bị từ chối"')]);
  const refused = readFileSync(await download.path(), 'utf8');
  expect(refused.trim().split('\r\n')).toHaveLength(11);
  expect(refused).toContain('refused_remedy');
  await page.setInputFiles('.drop input', {
    name: 'tram-x12-sua.csv',
    mimeType: 'text/csv',
    buffer: Buffer.from(refused.replaceAll('31/02/1990', '28/02/1990')),
  });
  await page.waitForSelector('button:text-is("Nhập 10 dòng"):focus', { timeout: 60_000 });
  await page.keyboard.press('Enter');
  await page.waitForSelector('.run h2:has-text("Đã xong")', { timeout: 60_000 });
  expect(problems).toEqual([]);
}, 180_000);

test('the auditor finds who read a person, seeing nothing of him', async () => {
  const { page, problems, context } = await logIn(browser, hub.address, 'auditor');
  await open(page, hub.address, '/audit');
  await page.fill('.by-number input', '038090000001');
  await page.keyboard.press('Enter');
  await page.waitForURL(/person=/);
  await page.waitForSelector('tbody tr:has-text("Cán bộ trạm x11"):has-text("Xem hồ sơ công dân")');
  await page.selectOption('select >> nth=0', 'citizen.changed');
  await page.waitForSelector('tbody tr:has-text("Cán bộ trạm x11"):has-text("Sửa hồ sơ công dân")');
  expect(await page.textContent('main')).not.toContain('Nguyễn Văn An');
  expect(page.url()).not.toContain('038090000001');
  expect(problems).toEqual([]);
  await context.close();
});

test('the keyboard leads everywhere, and rests while a letter is composed', async () => {
  const { page, problems } = steward;
  await open(page, hub.address, '/');
  for (const [letter, path] of [
    ['c', 'citizens'],
    ['t', 'cards'],
    ['k', 'results'],
    ['p', 'referrals'],
    ['d', 'discrepancies'],
    ['n', 'imports'],
  ] as const) {
    await page.keyboard.press('g');
    await page.keyboard.press(letter);
    await page.waitForURL(new RegExp(`#/${path}$`));
    await settled(page);
  }
  await open(page, hub.address, '/citizens');
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.evaluate(`dispatchEvent(new KeyboardEvent('keydown', { key: 'j', isComposing: true }))`);
  expect(await page.evaluate<number>(`[...document.querySelectorAll('[data-row]')].indexOf(document.activeElement)`)).toBe(1);
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/show$/);
  await page.keyboard.press('?');
  await page.waitForSelector('[role=dialog] kbd');
  await page.keyboard.press('Escape');
  expect(problems).toEqual([]);
});

test('the first screen is small: scripts until the dashboard stands', async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  const sizes: Promise<number>[] = [];
  page.on('response', (response) => {
    if (response.url().endsWith('.js'))
      sizes.push(
        response
          .request()
          .sizes()
          .then(({ responseBodySize }) => responseBodySize),
      );
  });
  await page.goto(hub.address);
  await page.fill('input[name=login]', 'clerk11');
  await page.fill('input[name=password]', 'lien-thong-demo');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.dashboard');
  await settled(page);
  const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  expect(bytes).toBeGreaterThan(50 * 1024);
  expect(bytes).toBeLessThan(450 * 1024);
  await context.close();
});

test('log-out ends it: the page asks for a log-in again', async () => {
  const { page, context } = await logIn(browser, hub.address, 'clerk21');
  await page.click('.account');
  await page.click('text=Đăng xuất');
  await page.waitForSelector('input[name=password]');
  await page.goto(`${hub.address}/#/citizens`);
  await page.waitForSelector('input[name=password]');
  await context.close();
});
