// Branches, items, children and several questions at once: followed live, what is shown is what a reload shows; and the
// way from an execution to its children and back.
import { check, endsAs, equal, run, shoot, signIn, status, until, withPage } from '../kit.mjs';
import { child, nested } from '../workflows.mjs';

/** What a page of an execution says, but for times that go on by themselves and the way to what is out of sight. */
function shown(page) {
  return page.evaluate(() => {
    const main = document.querySelector('main').cloneNode(true);
    main.querySelectorAll('time, [data-ticking], section[aria-label=Output], button.asks').forEach((moving) => moving.remove());
    const attributes = [...main.querySelectorAll('[data-status], [data-command], [data-child]')].map((element) => Object.entries(element.dataset).sort());
    return { title: document.title, text: main.textContent.replace(/\s+/g, ' '), attributes };
  });
}

/** Holds the live page against one that has just been read. Both are looked at only once the journal stands still. */
async function asReload(page, server, id, what) {
  const seqs = (of) => of.locator('[data-testid=log] > li').evaluateAll((items) => items.map((item) => Number(item.dataset.seq)));
  const fresh = await page.context().newPage();
  try {
    await fresh.goto(`${server.origin}/executions/${id}`);
    const { logs } = await server.get(`/api/executions/${id}`);
    for (const [of, name] of [[page, 'live'], [fresh, 'reloaded']]) await until(async () => (await seqs(of)).length === logs.length, `${what}: the whole journal on the ${name} page`);
    equal(await shown(page), await shown(fresh), `${what}: the live page shows what a reload shows`);
  } finally {
    await fresh.close();
  }
}

const question = (page, text) => page.getByTestId('prompt').filter({ hasText: text });
const step = (page, id) => page.locator(`[data-step="${id}"]`);

export default {
  'branches, items, children and several questions are followed live, exactly as a reload shows them': () =>
    withPage(async ({ server, page }) => {
      await server.workflow('e2e-child', child);
      await server.workflow('e2e-nested', nested);
      await signIn(page, server);
      const gate = server.gate();
      const id = await run(page, server, 'e2e-nested', { gate: gate.path });
      await question(page, 'Go on with all hosts?').waitFor();
      await step(page, 'read').and(page.locator('[data-status=completed]')).waitFor();
      equal(await step(page, 'sides').locator('[data-list]').allTextContents().then((texts) => texts.map((text) => text.replace(/\s+/g, ' ').trim())), ['► running left', '✓ completed right'], 'where each branch is');
      equal(await status(page), 'waiting', 'all that goes on waits for a person');
      await asReload(page, server, id, 'two branches, one over');

      await page.getByRole('button', { name: 'Yes', exact: true }).click();
      const children = step(page, 'inspect').locator('[data-child]');
      await until(async () => (await children.count()) === 2, 'two children at once');
      equal(await children.evaluateAll((rows) => rows.map((row) => row.dataset.status)), ['running', 'running'], 'both run');
      check((await children.first().textContent()).includes('for db <1>'), 'for which item each runs');
      const runs = async () => (await server.get(`/api/executions/${await children.first().getAttribute('data-child')}`)).logs.some((entry) => entry.action === 'command_sent');
      await until(runs, 'the command of the first child');
      await asReload(page, server, id, 'two items, each with a child');
      await shoot(page, 'nested-children');

      // To a child and back.
      const childId = await children.first().getAttribute('data-child');
      await children.first().getByRole('link', { name: 'e2e-child' }).click();
      await page.waitForURL(`**/executions/${childId}`);
      await page.getByRole('heading', { name: 'e2e-child', level: 1 }).waitFor();
      const parent = page.getByTestId('parent');
      equal((await parent.textContent()).replace(/\s+/g, ' ').trim(), '▲ started by step inspect of e2e-nested', 'who started it');
      await step(page, 'look').and(page.locator('[data-status=running]')).waitFor();
      await shoot(page, 'nested-child');
      await gate.open();
      await endsAs(page, server, childId, 'completed');
      await asReload(page, server, childId, 'a child that is over');
      await parent.getByRole('link', { name: 'e2e-nested' }).click();
      await page.waitForURL(`**/executions/${id}`);

      // Two questions of one step at once.
      await question(page, 'Restart db <1>?').waitFor();
      await question(page, 'Restart app?').waitFor();
      check((await question(page, 'Restart app?').getByRole('alert').textContent()).includes('Confirm · app'), 'for which item it asks');
      equal(await children.evaluateAll((rows) => rows.map((row) => row.dataset.status)), ['completed', 'completed'], 'how the children ended');
      await asReload(page, server, id, 'two questions at once');
      await shoot(page, 'nested-questions');
      await question(page, 'Restart app?').getByRole('button', { name: 'Restart', exact: true }).click();
      await question(page, 'Restart app?').waitFor({ state: 'detached' });
      // The third item takes its place, and skips the question.
      await until(async () => (await children.count()) === 3, 'the child of the third item');
      await until(async () => (await server.get(`/api/executions/${id}`)).logs.some((entry) => entry.action === 'frame_finished' && entry.name === 'cache'), 'the end of the third item');
      await asReload(page, server, id, 'one question left, two items over');
      equal(await question(page, 'Restart').count(), 1, 'one question is left');
      await question(page, 'Restart db <1>?').getByRole('button', { name: 'Leave it', exact: true }).click();
      await endsAs(page, server, id, 'completed');
      check((await step(page, 'each').textContent()).includes('3 of 3 items completed'), 'how many items are over');
      check((await step(page, 'tidy').textContent()).includes('finally'), 'the steps that always come last are told apart');
      await asReload(page, server, id, 'all over');
      await shoot(page, 'nested-done');

      // From the log, too.
      await page.locator('[data-action=child_started]').last().getByRole('link').click();
      await page.getByRole('heading', { name: 'e2e-child', level: 1 }).waitFor();
      await page.locator('[data-action=execution_created]').getByRole('link').click();
      await page.getByRole('heading', { name: 'e2e-nested', level: 1 }).waitFor();
    }),
};
