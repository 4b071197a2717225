// The main job in the browser: sign in by the link, run a workflow from its dialog, watch it live, answer, see the outcome.
import { check, copied, endsAs, equal, gzipped, openPage, openRunDialog, run, screen, shoot, signIn, status, until, withPage } from '../kit.mjs';
import { live } from '../workflows.mjs';

export default {
  'sign in by the link, run disk-check from its dialog, answer, see the outcome': () =>
    withPage(async ({ server, page }) => {
      const scripts = [];
      page.on('request', (request) => request.resourceType() === 'script' && scripts.push(request.url()));
      await page.goto(`${server.origin}/workflows`);
      await page.getByRole('heading', { name: 'Sign in' }).waitFor();
      await shoot(page, 'sign-in');
      await page.goto(server.link);
      await page.getByRole('heading', { name: 'Executions', level: 1 }).waitFor();
      check(!page.url().includes('code='), 'the code has left the address');

      await page.getByRole('link', { name: 'Workflows' }).click();
      await page.getByRole('button', { name: 'Run disk-check' }).waitFor();
      const loaded = new Map(await Promise.all(scripts.map(async (url) => [url, gzipped(await server.text(new URL(url).pathname))])));
      const bytes = [...loaded.values()].reduce((sum, size) => sum + size, 0);
      check(bytes > 0 && bytes < 120 * 1024, `first load: ${bytes} bytes of compressed scripts`);
      check(![...loaded.keys()].some((url) => url.includes('terminal')), 'the terminal is not loaded before there is output');
      await page.getByRole('button', { name: 'Run disk-check' }).click();
      await page.getByRole('button', { name: '► Run', exact: true }).click();
      await page.waitForURL(/\/executions\/.+/);
      const id = page.url().split('/').at(-1);
      await until(async () => (await screen(page)).includes('reading (1 of 3)'), 'output on the screen');
      await page.getByTestId('prompt').waitFor();
      await shoot(page, 'disk-check-waiting');
      await page.getByTestId('prompt').getByRole('button').first().click();
      await endsAs(page, server, id, 'completed');
      await shoot(page, 'disk-check-done');
    }),

  'output arrives while the command runs; parsed values, route, question and answer are shown': () =>
    withPage(async ({ server, page }) => {
      await server.workflow('e2e-live', live);
      await signIn(page, server);
      const gate = server.gate();
      await page.goto(`${server.origin}/workflows`);
      await page.getByRole('button', { name: 'Run e2e-live' }).waitFor();
      await shoot(page, 'workflows');
      await openRunDialog(page, server, 'e2e-live');
      await page.getByLabel('gate', { exact: true }).fill(gate.path);
      await page.getByLabel('limit', { exact: true }).fill('101');
      await page.getByRole('button', { name: '► Run', exact: true }).click();
      await page.getByText('This must be at most 100.').waitFor();
      await shoot(page, 'run-dialog');
      await page.getByLabel('limit', { exact: true }).fill('90');
      await page.getByLabel('label', { exact: true }).fill(`'; touch x; $(id) "q"`);
      await page.getByRole('button', { name: '► Run', exact: true }).click();

      await until(async () => (await screen(page)).includes('line 3'), 'the third line on the screen');
      equal(await status(page), 'running', 'the command still runs');
      check(!(await screen(page)).includes('line 4'), 'the next line is not there yet');
      await shoot(page, 'execution-running');
      await gate.open();
      await page.getByTestId('prompt').waitFor();
      check((await screen(page)).includes(`'; touch x; $(id) "q" line 6`), 'parameters are literal');
      equal(await page.locator('[data-action=parse_complete] tbody th').allTextContents(), ['disk_pct', 'disk_dev'], 'parsed variables');
      check((await page.locator('[data-action=route_taken]').textContent()).includes('Auto-route: disk is full'), 'the route with its label');
      check((await page.getByTestId('prompt').textContent()).includes('Clean up /dev/sda1?'), 'the question');
      check((await page.getByLabel('Output to review').textContent()).includes('DISK_PCT=91'), 'the output to review');
      await shoot(page, 'execution-waiting');

      await page.getByRole('button', { name: 'Clean', exact: true }).click();
      await endsAs(page, server, page.url().split('/').at(-1), 'completed');
      check((await page.locator('[data-action=prompt_response]').textContent()).includes('Answer: Clean'), 'the answer in the log');
      check((await copied(page)).includes('cleaned 3'), 'the output of the last step');
      await page.getByRole('combobox', { name: 'Command' }).selectOption({ index: 1 });
      await until(async () => !(await screen(page)).includes('cleaned 3') && (await screen(page)).includes('line 6'), 'the output of one command alone');
      await shoot(page, 'execution-done');
    }),

  'the list is live; abort asks first, names the worker and shows the reason': () =>
    withPage(async ({ server, browser, page }) => {
      await server.workflow('e2e-live', live);
      const { items } = await server.get('/api/workflows?limit=200');
      const id = items.find((item) => item.name === 'e2e-live').id;
      await signIn(page, server);
      await page.goto(`${server.origin}/executions`);
      await page.getByText('Nothing has run yet').waitFor();
      const gate = server.gate();
      const started = await server.post(`/api/workflows/${id}/execute`, { params: { gate: gate.path } });
      const row = page.locator(`tr[data-execution="${started.id}"]`);
      await row.locator('[data-status=running]').waitFor();
      await gate.open();
      await row.locator('[data-status=waiting]').waitFor();
      await page.getByRole('log').getByText('waits for an answer').waitFor();
      await shoot(page, 'executions');
      await row.getByRole('link').click();
      await page.getByRole('button', { name: '■ Abort', exact: true }).click();
      await page.getByLabel('Reason (optional)').fill('enough <b>seen</b>');
      await shoot(page, 'abort-dialog');
      await page.getByRole('button', { name: '■ Abort it' }).click();
      await endsAs(page, server, started.id, 'aborted');
      check((await page.locator('[data-action=abort_requested]').textContent()).includes('enough <b>seen</b>'), 'the reason as text');

      const other = await openPage(browser);
      await other.goto(`${server.origin}/executions/${started.id}`);
      await other.getByRole('heading', { name: 'Sign in' }).waitFor();
      await other.getByLabel('API token').fill('wrong');
      await other.getByRole('button', { name: 'Sign in' }).click();
      await other.getByRole('alert').filter({ hasText: '✗' }).waitFor();
      await other.getByLabel('API token').fill(server.token);
      await other.getByRole('button', { name: 'Sign in' }).click();
      await until(async () => (await status(other)) === 'aborted', 'the page that was asked for before the sign-in');
      await other.getByRole('button', { name: 'Sign out' }).click();
      await other.getByRole('heading', { name: 'Sign in' }).waitFor();
    }),
};
