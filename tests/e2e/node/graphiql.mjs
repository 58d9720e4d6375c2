// Opens GraphiQL in a browser, types a query, and prints the answer that the page shows.
// Arguments: the server's URL, a token, the browser's program, and where to put a picture.
import { chromium } from 'playwright-core';

const [url, token, executablePath, picture] = process.argv.slice(2);
const QUERY = 'query Typed { viewer { role ';

const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
const page = await browser.newPage();
const requests = [];
const complaints = [];
page.on('request', (request) => requests.push(request.url()));
page.on('console', (message) => {
  if (message.type() === 'error') complaints.push(message.text().slice(0, 200));
});
page.on('pageerror', (error) => complaints.push(String(error)));

await page.goto(url);
await page.getByLabel('Token').fill(token);
await page.getByRole('button', { name: 'Use it' }).click();
const editor = page.locator('.graphiql-query-editor .monaco-editor').first();
await editor.click();
await page.keyboard.press('ControlOrMeta+A');
// Its editor closes braces by itself.
await page.keyboard.type(QUERY, { delay: 5 });
// The tab is named after the operation as soon as it has been read.
await page.locator('.graphiql-tab').getByText('Typed').waitFor({ timeout: 20_000 });
await page.keyboard.press('ControlOrMeta+Enter');
const answer = page.locator('.result-window');
await answer.getByText('"ADMIN"').waitFor({ timeout: 20_000 });
const text = await answer.innerText();
if (picture) await page.screenshot({ path: picture });
await browser.close();
console.log(JSON.stringify({ text, requests, complaints }));
