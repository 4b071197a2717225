// What the journal does not tell: a command that waits for room on its worker, and one whose worker cannot be reached.
import { check, endsAs, equal, openPage, run, shoot, signIn, until, withPage } from '../kit.mjs';
import { gated } from '../workflows.mjs';

/** A worker counts as unreachable after 45 seconds of silence; more, because the machine may be slow. */
const SILENCE_MS = 180_000;

const row = (page, worker) => page.locator(`[data-step=work] li[data-worker="${worker}"]`);
const listed = (page, id) => page.locator(`tr[data-execution="${id}"] [data-delivery]`);
/** Waits until a row says that it stands so. */
const stands = (page, worker, status, timeout) => row(page, worker).locator(`.lt-status[data-status="${status}"]`).waitFor(timeout ? { timeout } : {});

/** The page, and the list of executions beside it. */
async function withList({ server, browser, page }, test) {
  await signIn(page, server);
  const list = await openPage(browser);
  await signIn(list, server);
  await list.goto(`${server.origin}/executions`);
  await list.getByRole('heading', { name: 'Executions', level: 1 }).waitFor();
  await test(list);
  equal(list.wrongs, [], 'nothing went wrong in the list');
}

export default {
  'a worker that falls silent is said, with what runs there, and so is that it is back': () =>
    withPage(async (given) => {
      const { server, page } = given;
      await server.worker('away-01');
      await server.workflow('e2e-gated', gated);
      await withList(given, async (list) => {
        const gate = server.gate();
        const id = await run(page, server, 'e2e-gated', { gate: gate.path, targets: 'away-01' });
        await stands(page, 'away-01', 'running');
        equal(await page.locator('[data-delivery]').count(), 0, 'nothing is said of a worker that is there');

        server.pause('away-01');
        await stands(page, 'away-01', 'running, worker unreachable', SILENCE_MS);
        await page.locator('main header [data-delivery=worker_unreachable]').waitFor();
        await row(page, 'away-01').getByText('last heard from').waitFor();
        await listed(list, id).filter({ hasText: 'worker unreachable' }).waitFor();
        await shoot(page, 'worker-unreachable');
        await shoot(list, 'executions-worker-unreachable');
        await page.getByRole('button', { name: '■ Abort' }).click();
        await page.getByRole('dialog').getByText('away-01 cannot be reached').waitFor();
        await shoot(page, 'abort-worker-unreachable');
        await page.keyboard.press('Escape');
        // A reload says the same.
        await page.reload();
        await stands(page, 'away-01', 'running, worker unreachable');
        await page.locator('main header [data-delivery=worker_unreachable]').waitFor();

        server.resume('away-01');
        await stands(page, 'away-01', 'running');
        await page.locator('[data-delivery]').waitFor({ state: 'detached' });
        await listed(list, id).waitFor({ state: 'detached' });
        await gate.open();
        const stored = await endsAs(page, server, id, 'completed');
        equal(stored.steps[0].commands.map((command) => [command.attempt, command.exit_code]), [[1, 0]], 'it ran once');
      });
    }),

  'what waits for room on its worker is queued, until there is room': () =>
    withPage(async (given) => {
      const { server, page } = given;
      await server.worker('narrow-01', { capacity: 1 });
      await server.workflow('e2e-gated', gated);
      await withList(given, async (list) => {
        const [first, second] = [server.gate(), server.gate()];
        const before = await run(page, server, 'e2e-gated', { gate: first.path, targets: 'narrow-01' });
        await stands(page, 'narrow-01', 'running');
        const id = await run(page, server, 'e2e-gated', { gate: second.path, targets: 'narrow-01' });
        await stands(page, 'narrow-01', 'queued');
        await row(page, 'narrow-01').getByText('the worker takes 1 at once').waitFor();
        await page.locator('main header [data-delivery=queued]').waitFor();
        await listed(list, id).filter({ hasText: 'queued' }).waitFor();
        equal(await listed(list, before).count(), 0, 'the one before runs');
        await shoot(page, 'queued');
        await shoot(list, 'executions-queued');

        await first.open();
        await stands(page, 'narrow-01', 'running');
        await page.locator('[data-delivery]').waitFor({ state: 'detached' });
        await listed(list, id).waitFor({ state: 'detached' });
        await until(async () => (await list.locator(`tr[data-execution="${before}"] [data-status=completed]`).count()) === 1, 'the end of the first in the list');
        await second.open();
        const stored = await endsAs(page, server, id, 'completed');
        check(stored.delivery === undefined, 'nothing is delivered any more');
      });
    }),
};
