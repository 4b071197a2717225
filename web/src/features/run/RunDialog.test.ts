// The run dialog: typed inputs, validation before sending, the server's refusal in place.
import { render, screen } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { expect, it, vi } from 'vitest';
import { ApiProblem } from '../../api/client';
import type { Param } from '../../api/generated';
import { workflow } from '../../test-kit';
import RunDialog from './RunDialog.svelte';

const PARAMS: Param[] = [
  { name: 'mount', type: 'string', required: true, description: 'Mount <b>point</b>' },
  { name: 'limit', type: 'integer', required: false, default: 80, min: 1, max: 100 },
  { name: 'mode', type: 'choice', required: false, default: 'ask', options: ['ask', 'auto'] },
  { name: 'verbose', type: 'boolean', required: false },
];

function open(execute = vi.fn(async () => ({ id: 'x1' }))) {
  const onstarted = vi.fn();
  const onclose = vi.fn();
  render(RunDialog, { workflow: workflow(PARAMS), api: { execute }, onclose, onstarted });
  return { execute, onstarted, onclose, user: userEvent.setup() };
}

it('sends typed values once they are valid', async () => {
  const { execute, onstarted, user } = open();
  await user.clear(screen.getByLabelText('limit'));
  await user.type(screen.getByLabelText('limit'), '200');
  await user.click(screen.getByRole('button', { name: '► Run' }));
  expect(execute).not.toHaveBeenCalled();
  expect(screen.getByText('✗ This is required.')).toBeTruthy();
  expect(screen.getByText('✗ This must be at most 100.')).toBeTruthy();
  expect(document.activeElement).toBe(screen.getByLabelText(/^mount/));

  await user.type(screen.getByLabelText(/^mount/), '/data');
  await user.clear(screen.getByLabelText('limit'));
  await user.type(screen.getByLabelText('limit'), '90');
  await user.selectOptions(screen.getByLabelText('mode'), 'auto');
  await user.click(screen.getByLabelText('verbose'));
  await user.type(screen.getByLabelText('targets'), 'web-* db-1');
  await user.click(screen.getByRole('button', { name: '► Run' }));
  expect(execute).toHaveBeenCalledWith('w1', { params: { mount: '/data', limit: 90, mode: 'auto', verbose: true }, targets: ['web-*', 'db-1'] }, expect.stringMatching(/^[0-9a-f]{32}$/));
  expect(onstarted).toHaveBeenCalledWith('x1');
});

it('shows the refusal of the server and lets one try again with the same key', async () => {
  const execute = vi.fn<(workflow: string, body: unknown, key: string) => Promise<{ id: string }>>().mockRejectedValueOnce(new ApiProblem(422, 'no-workers', 'No', 'no worker is called `nope`')).mockResolvedValueOnce({ id: 'x2' });
  const { onstarted, user } = open(execute as never);
  await user.type(screen.getByLabelText(/^mount/), '/');
  await user.click(screen.getByRole('button', { name: '► Run' }));
  expect((await screen.findByRole('alert')).textContent).toContain('no worker is called `nope`');
  await user.click(screen.getByRole('button', { name: '► Run' }));
  expect(onstarted).toHaveBeenCalledWith('x2');
  expect(execute.mock.calls[0]![2]).toBe(execute.mock.calls[1]![2]);
});

it('shows descriptions as text', () => {
  open();
  expect(screen.getByText(/Mount <b>point<\/b>/)).toBeTruthy();
});
