// Log blocks: every action has one, unknown ones are shown in full, hostile text stays text.
import { render, screen } from '@testing-library/svelte';
import { describe as group, expect, it } from 'vitest';
import { entry, inStep } from '../../test-kit';
import { describe, repeatedCommands } from './blocks';
import Log from './Log.svelte';

const worker = { worker_id: 'k1', worker: 'web-01' };
const HOSTILE = '<script>alert(1)</script>\u001b[31mred\u001b[0m\u001b]8;;http://evil\u0007link\u001b]8;;\u0007';
const end = { outcome: 'exited', duration_ms: 1200, stdout: '', stderr: '', stdout_bytes: 0, stderr_bytes: 0 };

group('describe', () => {
  it.each([
    [{ action: 'execution_created', workflow: { id: 'w', name: 'disk-check', version: 3 }, params: { mount: '/' }, started_by: 'ada', trigger: 'api' }, 'Created: disk-check', ['version 3']],
    [{ action: 'step_skipped', condition: 'false', next: { step: 'b' }, ...inStep }, 'Step skipped', ['next: b']],
    [{ action: 'command_sent', command: 'df -h', attempt: 2, ...worker, ...inStep }, 'Command for web-01', ['attempt 2']],
    [{ action: 'command_moved', command_id: 'c1', attempt: 2, from: { worker_id: 'k2', worker: 'web-02' }, reason: 'draining', ...worker, ...inStep }, 'Goes to web-01 instead', ['web-02 is draining', 'attempt 2']],
    [{ action: 'command_held', command_id: 'c1', attempt: 1, reason: 'offline', ...worker, ...inStep }, 'Waits for web-01', ['offline', 'not sent yet']],
    [{ action: 'not_stopped', command_id: 'c1', worker: 'web-01', waited_ms: 10_000, ...inStep }, 'Still runs on web-01', ['not over 10 s after it was told to stop']],
    [{ action: 'command_result', success: false, late: false, attempt: 1, ...worker, ...end, exit_code: 3 }, 'web-01 exited with 3', ['after 1.2 s']],
    [{ action: 'command_result', success: false, late: false, attempt: 1, ...worker, ...end, outcome: 'timed_out' }, 'web-01 ran out of time', []],
    [{ action: 'command_retry', attempt: 2, delay_ms: 2000, ...worker }, 'Trying again on web-01', ['in 2.0 s']],
    [{ action: 'worker_offline', reason: 'skipped', ...worker }, 'web-01 is not online', ['skipped']],
    [{ action: 'no_workers', selector: ['role=db'] }, 'No worker was online', ['asked for role=db']],
    [{ action: 'prompt', message: 'Clean?', options: [{ label: 'Yes' }, { label: 'No' }] }, 'Question', ['options: Yes / No']],
    [{ action: 'prompt_response', response: 'Yes', by: 'ada' }, 'Answer: Yes', ['by ada']],
    [{ action: 'prompt_timeout' }, 'Nobody answered in time', []],
    [{ action: 'route_taken', condition: 'state.pct > 80', label: 'disk is full', goto: 'ask' }, 'Auto-route: disk is full', ['to ask', 'because state.pct > 80']],
    [{ action: 'step_finished', status: 'failed', error: 'no', next: 'fail' }, 'Step failed', ['fails here']],
    [{ action: 'server_restart_recovery', running_commands: 1 }, 'Resumed after a server restart', ['1 running command']],
    [{ action: 'execution_finished', status: 'completed' }, 'Execution completed', []],
  ])('%j', (fields, title, facts) => {
    const block = describe(entry(1, fields));
    expect(block.title).toBe(title);
    expect(block.facts).toEqual(expect.arrayContaining(facts));
  });

  it('leads to the execution that a step has started, and to the one whose step started it', () => {
    expect(describe(entry(1, { action: 'child_started', execution_id: 'x2', workflow: 'clean', params: {}, depth: 1, ...inStep }))).toMatchObject({ title: 'Started clean', execution: { id: 'x2' } });
    const parent = { execution_id: 'x0', step_id: 'sub', depth: 1 };
    expect(describe(entry(1, { action: 'execution_created', workflow: null, params: {}, started_by: 'ada', trigger: 'workflow', parent }))).toMatchObject({ execution: { id: 'x0', text: 'for step sub of its parent' } });
    render(Log, { entries: [entry(1, { action: 'child_finished', execution_id: 'x2', status: 'failed', error: 'no', state: {}, ...inStep })] });
    expect(screen.getByRole('link', { name: 'its execution' }).getAttribute('href')).toBe('/executions/x2');
  });

  it('says for which item of a foreach a step runs', () => {
    const frame = { frame_id: 1, parent: inStep, list: 1, index: 0 };
    render(Log, { entries: [entry(1, { action: 'frame_started', ...frame, name: 'db', item: ['host', 'db'] }), entry(2, { action: 'step_started', run: 1, ...inStep, frame: 1, step: 2, step_name: 'Restart' })] });
    expect(screen.getByText('2 · Restart · db')).toBeTruthy();
  });

  it('keeps every field of an action it does not know, and of an entry it cannot read', () => {
    expect(describe(entry(1, { action: 'teleported', to: 'mars', ...inStep }))).toMatchObject({ title: 'teleported', table: { rows: [['to', 'mars']] } });
    expect(describe(entry(1, { action: 'constructor', to: 'mars' }))).toMatchObject({ title: 'constructor' });
    expect(describe(entry(1, { action: 'parse_complete', odd: 1 }))).toMatchObject({ title: 'parse_complete', table: { rows: [['odd', '1']] } });
  });

  it('shows the values of each worker when there were several', () => {
    const block = describe(entry(1, { action: 'parse_complete', from: 'check', parsed_count: 1, parsed: { pct: '2' }, by_worker: { a: { pct: '1' }, b: { pct: '2' } } }));
    expect(block.table?.rows).toEqual([['a', '1'], ['b', '2']]);
    expect(block.table?.heads).toEqual(['worker', 'pct']);
  });

  it('shows the end of a long output', () => {
    const stdout = Array.from({ length: 50 }, (_, i) => `line ${i}`).join('\n') + '\n';
    const block = describe(entry(1, { action: 'command_result', success: true, attempt: 1, ...worker, ...end, stdout, exit_code: 0 }));
    expect(block.text?.split('\n')).toEqual(['…', ...Array.from({ length: 8 }, (_, i) => `line ${i + 42}`)]);
  });
});

group('repeatedCommands', () => {
  it('finds the command that another worker got just before', () => {
    const sent = (step_id: string, command: string) => ({ action: 'command_sent', command, attempt: 1, ...worker, ...inStep, step_id });
    const entries = [sent('a', 'x'), { action: 'anything' }, sent('a', 'x'), sent('b', 'x'), sent('a', 'y')].map((fields, index) => entry(index + 1, fields));
    expect([...repeatedCommands(entries)]).toEqual([3]);
  });
});

group('Log', () => {
  it('shows whatever comes from a worker as text', () => {
    render(Log, {
      entries: [
        entry(1, { action: 'command_sent', command: HOSTILE, attempt: 1, ...worker, ...inStep }),
        entry(2, { action: 'command_result', success: true, late: false, attempt: 1, ...worker, ...inStep, ...end, stdout: HOSTILE, exit_code: 0 }),
        entry(3, { action: 'parse_complete', from: 'check', parsed_count: 1, parsed: { [HOSTILE]: HOSTILE }, by_worker: {}, ...inStep }),
        entry(4, { action: 'prompt', message: HOSTILE, options: [{ label: HOSTILE }], ...inStep }),
        entry(5, { action: 'anything', value: HOSTILE }),
      ],
    });
    const log = screen.getByTestId('log');
    expect(log.querySelector('script, a, img')).toBeNull();
    expect(log.querySelectorAll('li[data-action]')).toHaveLength(5);
    expect(log.textContent).toContain('<script>alert(1)</script>redlink');
    expect(log.textContent).not.toContain('\u001b');
  });

  it('draws parsed values as a table of two columns', () => {
    render(Log, { entries: [entry(1, { action: 'parse_complete', from: 'check', parsed_count: 1, parsed: { disk_pct: '91' }, by_worker: {}, ...inStep })] });
    expect(screen.getAllByRole('columnheader').map((cell) => cell.textContent)).toEqual(['variable', 'value']);
    expect(screen.getByRole('rowheader', { name: 'disk_pct' })).toBeTruthy();
    expect(screen.getByRole('cell', { name: '91' })).toBeTruthy();
  });

  it('says when there is nothing', () => {
    render(Log, { entries: [] });
    expect(screen.getByText('Nothing has been logged yet.')).toBeTruthy();
  });
});
