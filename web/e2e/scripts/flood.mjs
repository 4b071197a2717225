// A hundred thousand lines of output: the page stays usable, follows to the end, and finds its way back.
import { check, openRunDialog, screen, signIn, status, until, withPage } from '../kit.mjs';
import { flood } from '../workflows.mjs';

export default {
  'a hundred thousand lines do not freeze the page': () =>
    withPage(async ({ server, page }) => {
      await server.workflow('e2e-flood', flood);
      await signIn(page, server);
      await openRunDialog(page, server, 'e2e-flood');
      // The longest task is the page's own doing; a long frame may also be a machine with other things to do.
      await page.evaluate(() => {
        window.longest = { task: 0, frame: 0 };
        new PerformanceObserver((list) => {
          for (const { duration } of list.getEntries()) window.longest.task = Math.max(window.longest.task, duration);
        }).observe({ type: 'longtask' });
        let last = performance.now();
        const frame = (now) => {
          window.longest.frame = Math.max(window.longest.frame, now - last);
          last = now;
          requestAnimationFrame(frame);
        };
        requestAnimationFrame(frame);
      });
      await page.getByRole('button', { name: '► Run', exact: true }).click();
      await until(async () => (await status(page)) === 'completed', 'completed');
      await until(async () => (await screen(page)).includes('line number 100000 of the flood'), 'the last line, followed to');
      const longest = await page.evaluate(() => window.longest);
      check(longest.task < 1500, `the longest task took ${Math.round(longest.task)} ms`);
      check(longest.frame < 5000, `the longest frame took ${Math.round(longest.frame)} ms`);
      await page.getByRole('searchbox', { name: 'Search the output' }).fill('line number 77777 of');
      await page.keyboard.press('Enter');
      await until(async () => (await screen(page)).includes('line number 77777 of the flood'), 'the line searched for');
      await page.getByRole('button', { name: '▼ follow', exact: true }).click();
      await until(async () => (await screen(page)).includes('line number 100000 of the flood'), 'back at the end');
    }),
};
