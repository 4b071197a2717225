// Several workers at once: fleet-facts and rolling-restart as the server brings them, and an execution that fails.
import { check, copied, endsAs, equal, run, screen, shoot, signIn, until, withPage } from '../kit.mjs';
import { partial } from '../workflows.mjs';

async function withFleet(test) {
  return withPage(async (given) => {
    await given.server.worker('db-01');
    await given.server.worker('web-01');
    await signIn(given.page, given.server);
    await test(given);
  });
}

const rows = (page, step) => page.locator(`[data-step="${step}"] li[data-worker]`);

export default {
  'fleet-facts: each worker has its own progress, values and output': () =>
    withFleet(async ({ server, page }) => {
      const id = await run(page, server, 'fleet-facts');
      const stored = await endsAs(page, server, id, 'completed');
      const workers = stored.steps[0].commands.map((command) => command.worker);
      equal(workers.length, 3, 'workers asked');
      equal(await rows(page, 'ask').evaluateAll((items) => items.map((item) => item.dataset.worker)), workers, 'a row per worker');
      check((await page.locator('[data-step=ask]').textContent()).includes('3 of 3 completed'), 'how many have answered');
      const table = page.locator('[data-action=parse_complete] table');
      equal((await table.locator('thead th').allTextContents()).slice(0, 3), ['worker', 'host', 'kernel'], 'a column per variable');
      equal((await table.locator('tbody th').allTextContents()).sort(), [...workers].sort(), 'a row of values per worker');
      await until(async () => new Set((await copied(page)).match(/^── ask @ \S+/gm)).size === 3, 'the output of all workers');
      await shoot(page, 'fleet-facts');

      const one = rows(page, 'ask').getByRole('button', { name: 'db-01', exact: true });
      await one.click();
      await until(async () => !(await copied(page)).includes('──') && (await screen(page)).includes('KERNEL='), 'the output of one worker alone');
      equal(await one.getAttribute('aria-pressed'), 'true', 'the picked worker is marked');
      await one.click();
      await until(async () => (await copied(page)).includes('ask @ web-01'), 'the output of all again');
      await page.getByRole('link', { name: 'Workers' }).click();
      await page.locator('tr[data-worker="web-01"] [data-status=online]').waitFor();
      await shoot(page, 'workers');
      await server.dropWorker();
      await page.locator('tr[data-worker="web-01"] [data-status=offline]').waitFor();
      await shoot(page, 'workers-one-offline');
    }),

  'rolling-restart: whose turn it is, who is tried again, and the pause can be watched': () =>
    withFleet(async ({ server, page }) => {
      const id = await run(page, server, 'rolling-restart', { settle: '4' });
      await page.getByRole('button', { name: 'Restart', exact: true }).click();
      await until(async () => (await rows(page, 'restart').locator('[data-status="not started"]').count()) === 2, 'two workers wait for their turn');
      await rows(page, 'restart').locator('.lt-status[data-status=retrying]').first().waitFor();
      await shoot(page, 'rolling-restart-retrying');
      await page.locator('[data-step=settle_down]').getByText('goes on').waitFor();
      await shoot(page, 'rolling-restart-settling');
      await page.getByTestId('prompt').getByText('Close the change?').waitFor();
      check((await page.getByLabel('Output to review').textContent()).includes('── web-01: exit 0 ──'), 'the output to review names each worker');
      equal(await rows(page, 'restart').evaluateAll((items) => items.map((item) => item.querySelectorAll('[data-command]').length)), [1, 1, 1], 'the attempt before stands with each worker');
      // Away from the question there is a way back to it.
      await page.locator('[data-testid=log] > li').last().scrollIntoViewIfNeeded();
      await page.getByRole('button', { name: /show the question/ }).click();
      await page.getByRole('button', { name: /show the question/ }).waitFor({ state: 'detached' });
      await shoot(page, 'rolling-restart-waiting');
      await page.getByRole('button', { name: 'Close', exact: true }).click();
      await endsAs(page, server, id, 'completed');
      await shoot(page, 'rolling-restart-done');
    }),

  'a failure on one worker of several: who, why, and who never had a turn': () =>
    withFleet(async ({ server, page }) => {
      await server.workflow('e2e-partial', partial);
      const id = await run(page, server, 'e2e-partial', { mark: server.gate().path });
      const stored = await endsAs(page, server, id, 'failed');
      check((await page.locator('main header .error').textContent()).includes(stored.error), 'why it failed, at the top');
      equal(stored.steps[0].commands.map((command) => command.status), ['completed', 'failed'], 'one worker after another, until one fails');
      equal(await rows(page, 'deploy').locator('.lt-status').evaluateAll((items) => items.map((item) => item.dataset.status)), ['completed', 'failed', 'not started'], 'a state per worker');
      check((await page.locator('[data-action=command_result]').last().textContent()).includes('no space left'), 'the words of the worker, in the log');
      await page.locator('[data-action=rollout_stopped]').waitFor();
      await page.locator('[data-step=after]').getByText('not run').waitFor();
      await shoot(page, 'failed');
      await page.getByRole('link', { name: 'Executions' }).click();
      await page.locator(`tr[data-execution="${id}"] [data-status=failed]`).waitFor();
      await shoot(page, 'executions-failed');
    }),
};
