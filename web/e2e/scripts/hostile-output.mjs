// Output of an enemy: text in the page, colours only in the terminal, and no title, link or screen of its own making.
import { check, copied, equal, run, shoot, signIn, until, withPage } from '../kit.mjs';
import { hostile } from '../workflows.mjs';

export default {
  'markup and escape codes of a command stay text': () =>
    withPage(async ({ server, page }) => {
      await server.workflow('e2e-hostile', hostile);
      await signIn(page, server);
      await run(page, server, 'e2e-hostile');
      await page.getByTestId('prompt').waitFor();
      const text = await until(async () => {
        const all = await copied(page);
        return all.includes('EVIL=') && all;
      }, 'all output in the terminal');
      for (const line of ['<script>window.pwned = 1</script><img src=x onerror="window.pwned = 2">', 'red on green true colour', 'a link', '100% done', 'still here']) {
        check(text.includes(line), `the terminal has: ${line}\n${text}`);
      }
      check(!text.includes('\u001b'), 'no escape code is left in the text');
      const colours = await page.locator('[data-testid=terminal] .xterm-rows span').evaluateAll((spans) =>
        Object.fromEntries(['red', 'true colour'].map((word) => [word, getComputedStyle(spans.find((span) => span.textContent.includes(word))).color])),
      );
      equal(colours, { red: 'rgb(255, 68, 68)', 'true colour': 'rgb(255, 128, 0)' }, 'colours of the terminal under the policy');
      equal(await page.evaluate(() => window.pwned ?? null), null, 'no script ran');
      equal(await page.locator('main :is(script, img, b), [data-testid=terminal] a').count(), 0, 'no element came out of text');
      check((await page.title()).endsWith('e2e-hostile · PULSE'), 'the title is ours');
      check((await page.locator('.message').textContent()).includes('<b><script>window.pwned = 3</script></b>'), 'the question is text');
      await shoot(page, 'hostile');
    }),
};
