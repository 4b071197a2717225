// The end of a sign-in: ours leads to the sign-in page, a proxy's to a new load of the page.
import { expect, it, vi } from 'vitest';
import { Session } from './session.svelte';

it('ends with a sign-out, or at the proxy that signs in', () => {
  const me = { name: 'ada', role: 'viewer' as const, groups: [] };
  const ended = (by_proxy?: boolean) => {
    const [session, reload] = [new Session(), vi.fn()];
    session.state = { kind: 'in', me: { ...me, by_proxy } };
    session.ended(reload);
    return [session.state.kind, reload.mock.calls.length];
  };
  expect(ended()).toEqual(['out', 0]);
  expect(ended(true)).toEqual(['in', 1]);
  const [unknown, reload] = [new Session(), vi.fn()];
  unknown.ended(reload);
  expect([unknown.state.kind, reload.mock.calls.length]).toEqual(['unknown', 0]);
});
