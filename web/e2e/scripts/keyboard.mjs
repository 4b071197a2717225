// Everything by keyboard: sign in, find and run a workflow, answer its question, help and the CRT switch.
import { check, equal, shoot, status, until, withPage } from '../kit.mjs';
import { live } from '../workflows.mjs';

/** Presses Tab until the focus is on an element of that name; it must be visible that it is. */
async function tabTo(page, name) {
  for (let presses = 0; presses < 80; presses++) {
    const focus = await page.evaluate(() => {
      const element = document.activeElement;
      const label = element?.getAttribute('aria-label') ?? element?.textContent ?? '';
      return { name: label.trim(), outlined: !!element && getComputedStyle(element).outlineStyle !== 'none' };
    });
    if (focus.name === name) return check(focus.outlined, `the focus on ${name} can be seen`);
    await page.keyboard.press('Tab');
  }
  throw new Error(`${name} cannot be reached with Tab`);
}

export default {
  'sign in, run and answer without a mouse': () =>
    withPage(async ({ server, page }) => {
      await server.workflow('e2e-live', live);
      await page.goto(server.origin);
      await page.getByLabel('API token').waitFor();
      await until(() => page.evaluate(() => document.activeElement?.id === 'token'), 'the focus is in the token field');
      await page.keyboard.type(server.token);
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'Executions', level: 1 }).waitFor();

      await page.keyboard.press('?');
      await page.getByRole('dialog').waitFor();
      await shoot(page, 'help');
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });

      await page.keyboard.press('g');
      await page.keyboard.press('f');
      await page.getByRole('heading', { name: 'Workflows', level: 1 }).waitFor();
      await page.getByRole('button', { name: 'Run e2e-live' }).waitFor();
      await page.keyboard.press('/');
      await page.keyboard.type('e2e-live');
      await tabTo(page, 'Run e2e-live');
      await page.keyboard.press('Enter');
      await page.getByRole('dialog').waitFor();
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      equal(await page.evaluate(() => document.activeElement.getAttribute('aria-label')), 'Run e2e-live', 'the focus is back where it was');
      await page.keyboard.press('Enter');
      await tabTo(page, '► Run');
      await page.keyboard.press('Enter');

      await page.getByTestId('prompt').waitFor();
      await tabTo(page, 'Leave it');
      await page.keyboard.press('Enter');
      await until(async () => (await status(page)) === 'completed', 'completed');
      // The terminal must not hold the focus for ever.
      await tabTo(page, 'Download');

      await tabTo(page, 'CRT on');
      await page.keyboard.press('Space');
      equal(await page.evaluate(() => document.documentElement.dataset.crt), 'off', 'the effects are off');
      await page.reload();
      await until(async () => (await status(page)) === 'completed', 'the page after a reload');
      equal(await page.evaluate(() => document.documentElement.dataset.crt), 'off', 'the effects stay off');
      await page.goBack();
      await page.getByRole('heading', { name: 'Workflows', level: 1 }).waitFor();
    }),
};
