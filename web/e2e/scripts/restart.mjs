// A server killed under an open page: the page says so, comes back, and shows everything once.
import { check, copied, equal, openBrowser, openPage, Server, shoot, shownSeqs, signIn, status, until } from '../kit.mjs';
import { live } from '../workflows.mjs';

export default {
  'after kill -9 and a restart the page catches up without gaps or doubles': async () => {
    const server = await Server.start();
    const browser = await openBrowser();
    try {
      const page = await openPage(browser);
      await server.workflow('e2e-live', live);
      await signIn(page, server);
      await page.goto(`${server.origin}/workflows`);
      await page.getByRole('button', { name: 'Run e2e-live' }).click();
      await page.getByRole('button', { name: '► Run', exact: true }).click();
      await page.getByTestId('prompt').waitFor();
      const id = page.url().split('/').at(-1);

      await server.kill();
      await page.getByTestId('disconnected').waitFor();
      await shoot(page, 'disconnected');
      // Long enough for the back-off to grow, so that the answer below is given while the page is still away.
      await page.waitForTimeout(4000);
      await server.up();
      const { prompt } = await server.get(`/api/executions/${id}`);
      await server.post(`/api/executions/${id}/respond`, { response: 'Clean', prompt_id: prompt.id });

      await page.getByTestId('disconnected').waitFor({ state: 'detached' });
      await until(async () => (await status(page)) === 'completed', 'the page knows the end');
      const stored = await until(async () => {
        const view = await server.get(`/api/executions/${id}`);
        return view.status === 'completed' && view;
      }, 'completed');
      equal(await shownSeqs(page), stored.logs.map((entry) => entry.seq), 'the log shown is the journal, each entry once');
      check(stored.logs.some((entry) => entry.action === 'server_restart_recovery'), 'the restart is in the journal');
      const text = await until(async () => {
        const all = await copied(page);
        return all.includes('cleaned 3') && all;
      }, 'the output of the last step');
      const lines = text.split('\n').filter((line) => /line \d|cleaned \d/.test(line)).map((line) => line.trim());
      equal(lines, [1, 2, 3, 4, 5, 6].map((i) => `disk line ${i}`).concat([1, 2, 3].map((i) => `cleaned ${i}`)), 'each line of output once');
      equal(page.wrongs, [], 'nothing went wrong in the page');
    } finally {
      await browser.close();
      await server.stop();
    }
  },
};
