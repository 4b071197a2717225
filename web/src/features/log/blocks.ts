// What each kind of log entry says, as data: one describer per action. An action unknown here is shown with all its fields.
import { tookMs } from '../execution/fold';
import type { Entry, ExecutionStatus, Next, Outcome, StepStatus } from '../../api/generated';
import { duration, exactTime } from '../../ui/time';

export interface Block {
  glyph: string;
  tone: 'idle' | 'live' | 'ok' | 'ask' | 'bad';
  title: string;
  /** Several lines: a command, a message, output. */
  text?: string;
  facts: string[];
  /** Another execution that it is about, with what the way to it is called. */
  execution?: { id: string; text: string };
  /** Each row begins with its name. */
  table?: { heads: string[]; rows: string[][] };
}

type Action = Entry['action'];
type EntryOf<A extends Action> = Extract<Entry, { action: A }>;
type Draft = Omit<Block, 'facts'> & { facts?: (string | false | null | undefined | 0)[] };

const DESCRIBERS: { [A in Action]: (entry: EntryOf<A>) => Draft } = {
  execution_created: (e) => ({
    glyph: '+', tone: 'idle', title: e.workflow ? `Created: ${e.workflow.name}` : 'Created: quick command',
    facts: [`by ${e.started_by}`, `trigger ${e.trigger}`, e.workflow ? `version ${e.workflow.version}` : false, e.targets && `targets ${e.targets.join(' ')}`],
    execution: e.parent && { id: e.parent.execution_id, text: `for step ${e.parent.step_id} of its parent` },
    table: table(['parameter', 'value'], e.params),
  }),
  execution_queued: (e) => ({ glyph: '○', tone: 'idle', title: 'Waits for its turn', facts: [`at most ${e.limit} at once`] }),
  execution_started: (e) => ({ glyph: '►', tone: 'live', title: 'Execution started', facts: [e.deadline && `must be over by ${exactTime(e.deadline)}`] }),
  frame_started: (e) => ({
    glyph: '┬', tone: 'live', title: `${e.item ? 'Item' : e.parent ? 'Branch' : 'Steps'} started: ${e.name}`, facts: [e.parent && `of ${e.parent.step_name}`],
    table: e.item && table(['item', 'value'], Object.fromEntries([e.item])),
  }),
  frame_finished: (e) => ({ ...ending(e.status), title: e.name ? `Steps ${e.status}: ${e.name}` : `Steps ${e.status}`, text: e.error, facts: [e.parent && `of ${e.parent.step_name}`] }),
  items_resolved: (e) => ({ glyph: '≡', tone: 'idle', title: `${e.items.length} ${e.items.length === 1 ? 'item' : 'items'}`, text: e.items.map(text).join('\n') }),
  child_started: (e) => ({ glyph: '►', tone: 'live', title: `Started ${e.workflow}`, execution: { id: e.execution_id, text: 'its execution' }, table: table(['parameter', 'value'], e.params) }),
  child_finished: (e) => ({ ...ending(e.status), title: `Child execution ${e.status}`, text: e.error, execution: { id: e.execution_id, text: 'its execution' } }),
  step_started: (e) => ({ glyph: '►', tone: 'live', title: 'Step started', facts: [e.run > 1 && `run ${e.run}`] }),
  step_skipped: (e) => ({ glyph: '–', tone: 'idle', title: 'Step skipped', text: e.condition, facts: ['the condition was false', goesOn(e.next)] }),
  condition_error: (e) => ({ glyph: '!', tone: 'ask', title: 'Condition failed, counted as false', text: `${e.condition}\n${e.message}` }),
  targets_resolved: (e) => ({ glyph: '◎', tone: 'idle', title: `Targets: ${names(e.targets)}`, facts: [`asked for ${e.selector.join(' ')}`, e.await_any ? 'waiting for whoever comes first' : e.awaited?.length && `waiting for ${names(e.awaited)}`] }),
  worker_offline: (e) => ({ glyph: '○', tone: 'ask', title: `${e.worker} is not online`, facts: [e.reason] }),
  worker_still_offline: (e) => ({ glyph: '○', tone: 'ask', title: `${e.worker} did not come online in time` }),
  no_workers: (e) => ({ glyph: '✗', tone: 'bad', title: 'No worker was online', facts: [`asked for ${e.selector.join(' ')}`] }),
  command_sent: (e) => ({ glyph: '→', tone: 'live', title: `Command for ${e.worker}`, text: e.command, facts: [e.attempt > 1 && `attempt ${e.attempt}`] }),
  command_moved: (e) => ({ glyph: '→', tone: 'live', title: `Goes to ${e.worker} instead`, facts: [`${e.from.worker} is ${e.reason}`, e.attempt > 1 && `attempt ${e.attempt}`] }),
  command_held: (e) => ({ glyph: '○', tone: 'ask', title: `Waits for ${e.worker}`, facts: [e.reason, 'not sent yet', e.attempt > 1 && `attempt ${e.attempt}`] }),
  not_stopped: (e) => ({
    glyph: '!', tone: 'ask', title: e.worker ? `Still runs on ${e.worker}` : 'Its child execution goes on', facts: [`not over ${duration(e.waited_ms)} after it was told to stop`],
    execution: e.execution_id ? { id: e.execution_id, text: 'its execution' } : undefined,
  }),
  command_result: (e) => ({
    glyph: e.success ? '✓' : '✗', tone: e.success ? 'ok' : 'bad', title: `${e.worker} ${outcome(e)}`, text: tail(e.success ? e.stdout || e.stderr : e.stderr || e.stdout),
    facts: [tookMs(e) !== null && `after ${duration(e.duration_ms)}`, e.attempt > 1 && `attempt ${e.attempt}`, e.late && e.outcome !== 'cancelled' && 'too late: it changed nothing', e.error],
  }),
  command_retry: (e) => ({ glyph: '↻', tone: 'ask', title: `Trying again on ${e.worker}`, facts: [`attempt ${e.attempt}`, `in ${duration(e.delay_ms)}`] }),
  rollout_stopped: (e) => ({
    glyph: '■', tone: 'bad', title: `Roll-out stopped after ${e.failures} ${e.failures === 1 ? 'failure' : 'failures'}`, facts: [`not started on ${names(e.not_started)}`],
  }),
  prompt: (e) => ({ glyph: '?', tone: 'ask', title: 'Question', text: e.message, facts: [`options: ${e.options.map((option) => option.label).join(' / ')}`] }),
  prompt_response: (e) => ({ glyph: '!', tone: 'ok', title: `Answer: ${e.response}`, facts: [`by ${e.by}`], table: e.fields && table(['field', 'value'], e.fields) }),
  prompt_timeout: (e) => ({ glyph: '✗', tone: 'ask', title: 'Nobody answered in time', facts: [e.response !== undefined && `counts as ${e.response}`] }),
  wait_started: (e) => ({ glyph: '◷', tone: 'live', title: 'Waiting', facts: [`until ${exactTime(e.until)}`] }),
  wait_finished: () => ({ glyph: '✓', tone: 'ok', title: 'Waiting is over' }),
  parse_complete: (e) => ({
    glyph: '≡', tone: 'ok', title: `Parsed ${e.parsed_count} ${e.parsed_count === 1 ? 'value' : 'values'}`, facts: [`from ${e.from}`],
    table: Object.keys(e.by_worker).length > 1 ? perWorker(e.by_worker) : table(['variable', 'value'], e.parsed),
  }),
  route_taken: (e) => ({ glyph: '⇒', tone: 'ok', title: `Auto-route: ${e.label || e.condition}`, facts: [`to ${e.goto}`, e.label !== '' && e.label !== e.condition && `because ${e.condition}`] }),
  route_unmatched: (e) => ({ glyph: '⇒', tone: 'idle', title: 'No route matched', facts: [goesOn(e.next)] }),
  values_set: (e) => ({ glyph: '=', tone: 'ok', title: 'Values set', table: table(['variable', 'value'], e.values) }),
  step_finished: (e) => ({
    ...ending(e.status), title: `Step ${e.status}`, text: e.error, facts: [goesOn(e.next)],
  }),
  workflow_error: (e) => ({ glyph: '✗', tone: 'bad', title: 'Error', text: e.message }),
  server_restart_recovery: (e) => ({ glyph: '↻', tone: 'ask', title: 'Resumed after a server restart', facts: [`${e.running_commands} running ${e.running_commands === 1 ? 'command' : 'commands'}`] }),
  abort_requested: (e) => ({ glyph: '■', tone: 'ask', title: `Abort requested by ${e.by}`, text: e.reason }),
  execution_finished: (e) => ({
    ...ending(e.status), title: `Execution ${e.status}`, text: e.error,
  }),
};

export function describe(entry: Entry): Block {
  const describer = Object.hasOwn(DESCRIBERS, entry.action) ? (DESCRIBERS[entry.action] as (entry: Entry) => Draft) : unknownAction;
  let draft: Draft;
  try {
    draft = describer(entry);
  } catch {
    // An entry of another version, without the fields that are expected here: better all its fields than none.
    draft = unknownAction(entry);
  }
  return { ...draft, facts: (draft.facts ?? []).filter((fact) => typeof fact === 'string' && fact !== '') as string[] };
}

const COMMON = new Set(['seq', 'timestamp', 'action', 'frame', 'step', 'step_id', 'step_name']);

function unknownAction(entry: Entry): Draft {
  const fields = Object.fromEntries(Object.entries(entry).filter(([name]) => !COMMON.has(name)));
  return { glyph: '·', tone: 'idle', title: entry.action, table: table(['field', 'value'], fields) };
}

function table(heads: [string, string], values: Record<string, unknown>): Block['table'] {
  const rows = Object.entries(values).map(([name, value]) => [name, text(value)]);
  return rows.length > 0 ? { heads, rows } : undefined;
}

function text(value: unknown): string {
  return value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value);
}

const byName = new Intl.Collator('en', { numeric: true }).compare;

/** A row per worker, so that the same variable of all of them stands in one column. */
function perWorker(values: Record<string, Record<string, unknown>>): Block['table'] {
  const variables = [...new Set(Object.values(values).flatMap((own) => Object.keys(own)))];
  return { heads: ['worker', ...variables], rows: Object.keys(values).sort(byName).map((worker) => [worker, ...variables.map((name) => text(values[worker]?.[name]))]) };
}

/** Entries whose command was shown just above: sent to another worker, or once more. */
export function repeatedCommands(entries: Entry[]): Set<number> {
  const repeated = new Set<number>();
  const last = new Map<string, string>();
  for (const entry of entries) {
    if (entry.action !== 'command_sent') continue;
    if (last.get(entry.step_id) === entry.command) repeated.add(entry.seq);
    last.set(entry.step_id, entry.command);
  }
  return repeated;
}

function ending(status: ExecutionStatus | StepStatus): Pick<Block, 'glyph' | 'tone'> {
  return status === 'completed' ? { glyph: '✓', tone: 'ok' } : status === 'failed' ? { glyph: '✗', tone: 'bad' } : { glyph: '■', tone: 'ask' };
}

function names(workers: { worker: string }[]): string {
  return workers.map((worker) => worker.worker).join(', ') || 'none';
}

function goesOn(next: Next): string {
  return typeof next === 'object' ? `next: ${next.step}` : next === 'end' ? 'ends here' : 'fails here';
}

function outcome(entry: { outcome: Outcome; exit_code?: number; signal?: number }): string {
  switch (entry.outcome) {
    case 'exited':
      return entry.signal !== undefined ? `was ended by signal ${entry.signal}` : `exited with ${entry.exit_code ?? '?'}`;
    case 'not_started':
      return 'could not start it';
    case 'timed_out':
      return 'ran out of time';
    case 'cancelled':
      return 'was told to stop';
    case 'lost':
      return 'was lost';
  }
}

const TAIL_LINES = 8;

/** The last lines of an output; all of it is in the terminal. */
function tail(output: string): string {
  const lines = output.replace(/\s+$/, '').split('\n');
  return lines.length > TAIL_LINES ? ['…', ...lines.slice(-TAIL_LINES)].join('\n') : lines.join('\n');
}
