// A server killed under an open page: the page says so, comes back, and shows everything once.
import { check, copied, endsAs, equal, run, screen, shoot, signIn, until, withPage } from '../kit.mjs';
import { live } from '../workflows.mjs';

const LINES = [1, 2, 3, 4, 5, 6].map((i) => `disk line ${i}`).concat([1, 2, 3].map((i) => `cleaned ${i}`));

/** Each line of output that matters, as often as the terminal shows it. */
async function shownLines(page) {
  const text = await until(async () => {
    const all = await copied(page);
    return all.includes('cleaned 3') && all;
  }, 'the output of the last step');
  return text.split('\n').map((line) => line.trim()).filter((line) => /line \d|cleaned \d/.test(line));
}

export default {
  'a question survives kill -9 and a restart, and the page catches up without gaps or doubles': () =>
    withPage(async ({ server, page }) => {
      await server.workflow('e2e-live', live);
      await signIn(page, server);
      const id = await run(page, server, 'e2e-live');
      await page.getByTestId('prompt').waitFor();

      await server.kill();
      await page.getByTestId('disconnected').waitFor();
      await shoot(page, 'disconnected');
      // Once the back-off has grown there is time for an answer while the page is still away.
      await page.getByText(/Trying again in ([4-9]|\d\d) s/).waitFor();
      await server.up();
      const { prompt } = await server.get(`/api/executions/${id}`);
      await server.post(`/api/executions/${id}/respond`, { response: 'Clean', prompt_id: prompt.id });

      await page.getByTestId('disconnected').waitFor({ state: 'detached' });
      await endsAs(page, server, id, 'completed');
      equal(await shownLines(page), LINES, 'each line of output once');
    }),

  'a command that outlives the server is followed on': () =>
    withPage(async ({ server, page }) => {
      await server.worker('steady');
      await server.workflow('e2e-live', live);
      await signIn(page, server);
      const gate = server.gate();
      const id = await run(page, server, 'e2e-live', { gate: gate.path, targets: 'steady' });
      await until(async () => (await screen(page)).includes('disk line 3'), 'the third line on the screen');

      await server.kill();
      await page.getByTestId('disconnected').waitFor();
      await gate.open();
      await server.up();
      await page.getByTestId('disconnected').waitFor({ state: 'detached' });
      await page.getByRole('button', { name: 'Clean', exact: true }).click();
      const stored = await endsAs(page, server, id, 'completed');
      const recovery = stored.logs.find((entry) => entry.action === 'server_restart_recovery');
      check(recovery?.running_commands === 1, `the restart is in the journal: ${JSON.stringify(recovery)}`);
      equal(stored.logs.filter((entry) => entry.action === 'command_sent').length, 2, 'no command was sent twice');
      check((await page.locator('[data-action=server_restart_recovery]').textContent()).includes('1 running command'), 'and in the log');
      equal(await shownLines(page), LINES, 'each line of output once');
    }),
};
