// The steps of recorded executions, with what is nested in them: branches, items, children, and for which item a row stands.
import { render, screen, within } from '@testing-library/svelte';
import { describe, expect, it, vi } from 'vitest';
import type { ExecutionView } from '../../api/generated';
import { progress } from './progress';
import { recordings } from './recordings';
import Steps from './Steps.svelte';

const views = (name: string) => recordings.get(name)!;
const end = (name: string) => views(name).at(-1)!;
/** The first view in which something holds. */
const when = (name: string, holds: (view: ExecutionView) => boolean) => views(name).find(holds)!;
const show = (view: ExecutionView) => render(Steps, { props: { view, picked: null, onpick: vi.fn() } });

describe('progress of nested steps', () => {
  it('has a row per item and worker, not one attempt after another', () => {
    const { workers } = progress(end('items')).get('restart')!;
    expect(workers.map(({ worker, item, status, attempts }) => [worker, item, status, attempts.length]).sort()).toEqual(
      ['app / a', 'app / b', 'cache / a', 'cache / b', 'db / a', 'db / b'].map((item) => ['web-01', item, 'completed', 1]),
    );
    const { workers: tried } = progress(end('branches')).get('measure')!;
    expect(tried.map(({ item, attempts }) => [item, attempts.map((command) => command.attempt)])).toEqual([['', [1, 2]]]);
  });

  it('knows how many items there are before they start, and where each one is', () => {
    const { lists, listCount } = progress(when('items', (view) => view.children.length === 2)).get('each')!;
    expect([listCount, lists.map(({ name, status }) => [name, status])]).toEqual([3, [['db', 'running'], ['app', 'running']]]);
  });

  it('names branches and phases', () => {
    const known = progress(end('failure'));
    expect(['both', 'ask', 'proceed', 'repair', 'tidy', 'sweep'].map((id) => known.get(id)!.branch)).toEqual([undefined, 'asks', 'fails', 'on_failure', 'finally', undefined]);
    expect(known.get('both')!.lists.map(({ name, status }) => [name, status])).toEqual([['asks', 'aborted'], ['runs', 'aborted'], ['fails', 'failed']]);
  });

  it('says of a child whose step was ended that it was given up', () => {
    const child = (view: ExecutionView) => progress(view).get('child')!.children.map(({ workflow, status }) => [workflow, status]);
    expect(child(when('aborted', (view) => view.children.length === 1))).toEqual([['recorded-waits', 'running']]);
    expect(child(end('aborted'))).toEqual([['recorded-waits', 'given up']]);
  });
});

describe('Steps', () => {
  it('leads to each child from the step that started it', () => {
    show(end('items'));
    const step = document.querySelector<HTMLElement>('[data-step=child]')!;
    const links = within(step).getAllByRole('link', { name: 'recorded-child' });
    expect(links.map((link) => link.getAttribute('href'))).toEqual(end('items').children.map((child) => `/executions/${child.execution_id}`));
    const rows = [...within(step).getByRole('list', { name: 'child executions' }).children].map((row) => row.textContent?.replace(/\s+/g, ' ').trim());
    expect(rows).toEqual(['db', 'app', 'cache'].map((item) => `✓ completed recorded-child for ${item}`));
    expect(document.querySelectorAll('[data-child]')).toHaveLength(3);
  });

  it('stands nested steps below the one that runs them', () => {
    show(end('items'));
    const depths = [...document.querySelectorAll<HTMLElement>('[data-step]')].map(({ dataset }) => [dataset.step, dataset.depth]);
    expect(depths).toEqual([['each', '0'], ['child', '1'], ['confirm', '1'], ['parts', '1'], ['restart', '2']]);
    expect(document.querySelector('[data-step=restart]')?.textContent).toContain('within parts');
    expect(screen.getByText('3 of 3 items completed')).toBeTruthy();
  });
});
