// A hundred thousand lines of output: the page stays usable, follows to the end, and finds its way back.
import { check, equal, openBrowser, openPage, screen, Server, signIn, status, until } from '../kit.mjs';
import { flood } from '../workflows.mjs';

export default {
  'a hundred thousand lines do not freeze the page': async () => {
    const server = await Server.start();
    const browser = await openBrowser();
    try {
      const page = await openPage(browser);
      await server.workflow('e2e-flood', flood);
      await signIn(page, server);
      await page.goto(`${server.origin}/workflows`);
      await page.getByRole('button', { name: 'Run e2e-flood' }).click();
      await page.evaluate(() => {
        let last = performance.now();
        window.longestFrame = 0;
        const frame = (now) => {
          window.longestFrame = Math.max(window.longestFrame, now - last);
          last = now;
          requestAnimationFrame(frame);
        };
        requestAnimationFrame(frame);
      });
      await page.getByRole('button', { name: '► Run', exact: true }).click();
      await until(async () => (await status(page)) === 'completed', 'completed', 60_000);
      await until(async () => /line number \d+ of the flood/.test(await screen(page)), 'lines on the screen', 60_000);
      await until(async () => (await screen(page)).includes('line number 100000 of the flood'), 'the last line, followed to', 60_000);
      const longest = await page.evaluate(() => window.longestFrame);
      check(longest < 1500, `the longest frame took ${Math.round(longest)} ms`);
      await page.getByRole('searchbox', { name: 'Search the output' }).fill('line number 77777 of');
      await page.keyboard.press('Enter');
      await until(async () => (await screen(page)).includes('line number 77777 of the flood'), 'the line searched for');
      await page.getByRole('button', { name: '▼ follow', exact: true }).click();
      await until(async () => (await screen(page)).includes('line number 100000 of the flood'), 'back at the end');
      equal(page.wrongs, [], 'nothing went wrong in the page');
    } finally {
      await browser.close();
      await server.stop();
    }
  },
};
