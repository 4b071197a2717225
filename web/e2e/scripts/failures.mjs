// What goes wrong is said in place, in the server's own words, with a way on.
import { check, equal, openRunDialog, run, screen, shoot, signIn, until, withPage } from '../kit.mjs';

export default {
  'a sign-in link works once; a refused start, a missing page and a silent server are said clearly': () =>
    withPage(async ({ server, page }) => {
      await page.goto(server.link);
      await page.getByRole('heading', { name: 'Executions', level: 1 }).waitFor();
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.getByRole('heading', { name: 'Sign in' }).waitFor();
      await page.goto('about:blank');
      await page.goto(server.link);
      await page.getByRole('alert').filter({ hasText: '✗' }).waitFor();
      await shoot(page, 'sign-in-refused');
      await page.getByLabel('API token').fill(server.token);
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'Executions', level: 1 }).waitFor();

      await openRunDialog(page, server, 'disk-check');
      await page.getByLabel('targets', { exact: true }).fill('nobody');
      await page.getByRole('button', { name: '► Run', exact: true }).click();
      await page.getByRole('dialog').getByRole('alert').filter({ hasText: 'nobody' }).waitFor();
      await shoot(page, 'run-refused');

      await page.goto(`${server.origin}/executions/00000000-0000-7000-8000-000000000000`);
      await page.getByRole('alert').filter({ hasText: 'This execution cannot be shown' }).waitFor();
      await shoot(page, 'execution-missing');
      await page.goto(`${server.origin}/nowhere`);
      await page.getByText('There is no such page').waitFor();
      await shoot(page, 'page-missing');

      await page.route('**/api/workers*', (route) => route.abort());
      await page.getByRole('link', { name: 'Workers' }).click();
      await page.getByRole('alert').filter({ hasText: 'cannot be shown' }).waitFor();
      await shoot(page, 'workers-failed');
      await page.unroute('**/api/workers*');
      await page.getByRole('button', { name: 'Try again' }).click();
      await page.locator('tr[data-worker]').first().waitFor();
    }),

  'a terminal that cannot be loaded is said, and loaded again': () =>
    withPage(async ({ server, page }) => {
      await signIn(page, server);
      await page.route('**/assets/terminal*.js', (route) => route.abort());
      await run(page, server, 'disk-check');
      await page.getByText('The terminal could not be loaded.').waitFor();
      await shoot(page, 'terminal-failed');
      await page.unroute('**/assets/terminal*.js');
      await page.getByRole('button', { name: 'Try again' }).click();
      await until(async () => (await screen(page)).includes('reading (1 of 3)'), 'the output');
      equal(await page.getByText('The terminal could not be loaded.').count(), 0, 'the failure is gone');
    }),

  'an answer that came too late is said, and the page shows what counts': () =>
    withPage(async ({ server, page }) => {
      await signIn(page, server);
      await server.workflow('e2e-ask', { steps: [{ id: 'ask', type: 'prompt', message: 'Go on?', options: ['Yes', 'No'] }] });
      const { items } = await server.get('/api/workflows?limit=200');
      const { id } = await server.post(`/api/workflows/${items.find((item) => item.name === 'e2e-ask').id}/execute`, {});
      await page.goto(`${server.origin}/executions/${id}`);
      await page.getByTestId('prompt').waitFor();
      // Somebody else is quicker: the page has not heard of it when the button is pressed.
      await page.route('**/respond', async (route) => {
        await server.post(`/api/executions/${id}/respond`, { response: 'No' });
        await route.continue();
      });
      await page.getByRole('button', { name: 'Yes', exact: true }).click();
      const toast = page.locator('.lt-toast.error');
      await toast.waitFor();
      check((await toast.textContent()).length > 20, 'the refusal in words');
      await until(async () => (await page.locator('[data-action=prompt_response]').count()) === 1, 'the answer that counts');
      check((await page.locator('[data-action=prompt_response]').textContent()).includes('Answer: No'), 'it is the first one');
      equal(await page.getByTestId('prompt').count(), 0, 'no question is open');
      await shoot(page, 'answered-too-late');
    }),
};
