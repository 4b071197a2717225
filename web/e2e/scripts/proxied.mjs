// Behind a proxy that signs people in: no sign-in page, questions for groups, and a way back when the proxy's session ends.
import { check, equal, openPage, shoot, status, until, withPage } from '../kit.mjs';
import { startProxy } from '../proxy.mjs';

const QUESTION = { steps: [{ id: 'drop', message: 'Drop the old index?', options: ['Drop', 'Keep'], allow: ['dba'] }] };

async function withProxy(test) {
  await withPage(
    async ({ server, browser, page }) => {
      const proxy = await startProxy(server, { user: 'ada', groups: ['guests', 'dba'] });
      try {
        await test({ server, proxy, browser, page });
      } finally {
        proxy.stop();
      }
    },
    { PULSE_TRUSTED_PROXIES: '127.0.0.1', PULSE_OPERATOR_GROUP: 'ops' },
  );
}

export default {
  'whom a proxy signs in sees the dashboard at once, and answers what asks a group of theirs': () =>
    withProxy(async ({ server, proxy, browser, page }) => {
      await server.workflow('ask-dba', QUESTION);
      const { id } = await server.post('/api/workflows/ask-dba/execute', {});

      proxy.who = { user: 'bob', groups: ['ops'] };
      await page.goto(`${proxy.origin}/executions/${id}`);
      await page.getByText('Only members of dba may answer.').waitFor();
      check(await page.getByRole('button', { name: 'Drop' }).isDisabled(), 'no button for one who is not asked');
      check((await page.locator('.who').textContent()) === 'bob (operator)', 'the name and role');
      await shoot(page, 'proxied-not-asked');

      proxy.who = { user: 'ada', groups: ['guests', 'dba'] };
      await page.goto(`${proxy.origin}/`);
      await page.getByRole('heading', { name: 'Executions', level: 1 }).waitFor();
      equal(await page.getByRole('button', { name: 'Sign out' }).count(), 0, 'signing out is the proxy\'s');
      await page.goto(`${proxy.origin}/executions/${id}`);
      await page.getByTestId('connection').filter({ hasText: 'live' }).waitFor();
      await page.getByRole('button', { name: 'Drop' }).click();
      await until(async () => (await status(page)) === 'completed', 'the answer, and its end over the live connection');
      const { logs } = await server.get(`/api/executions/${id}`);
      equal(logs.find((entry) => entry.action === 'prompt_response').by, 'ada', 'who answered');

      // The proxy's session ends while the page is open: what is refused leads to the portal, and from there back.
      const other = await openPage(browser);
      await other.goto(`${proxy.origin}/workers`);
      await other.getByRole('heading', { name: 'Workers', level: 1 }).waitFor();
      proxy.who = null;
      // Unless the page has asked for something by itself already.
      void other.getByRole('link', { name: 'Workflows' }).click().catch(() => {});
      await other.getByRole('heading', { name: 'The portal' }).waitFor();
      proxy.who = { user: 'ada', groups: [] };
      await other.reload();
      await other.getByRole('heading', { name: /^Work(ers|flows)$/, level: 1 }).waitFor();
    }),
};
