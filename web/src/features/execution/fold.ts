// Folds journal entries into the view of an execution, as the server does: a pure function, for live events.
import type { CommandStatus, CommandView, Entry, ExecutionView, PromptView, StepView } from '../../api/generated';

/** The view after one more entry; the same view when the entry is in it already. */
export function applyEntry(view: ExecutionView, entry: Entry): ExecutionView {
  const last = view.logs.at(-1);
  if (last && entry.seq <= last.seq) return view;
  const next: ExecutionView = { ...view, logs: [...view.logs, entry] };
  switch (entry.action) {
    case 'step_started':
      begin(next, entry);
      next.steps = change(view.steps, entry.step_id, () => ({ status: 'running', started_at: entry.timestamp, finished_at: null, commands: [] }));
      break;
    case 'step_skipped':
      next.steps = change(view.steps, entry.step_id, () => ({ status: 'skipped', finished_at: entry.timestamp }));
      break;
    // Steps that end at once have this one event. A parse without `next` belongs to an execute step that goes on.
    case 'parse_complete':
    case 'route_taken':
    case 'route_unmatched':
    case 'values_set':
      begin(next, entry);
      if (entry.next !== null) next.steps = change(view.steps, entry.step_id, () => ({ status: 'completed', started_at: entry.timestamp, finished_at: entry.timestamp, commands: [] }));
      break;
    case 'command_sent': {
      const command: CommandView = { id: entry.command_id, worker: entry.worker, attempt: entry.attempt, status: 'running', exit_code: null, duration_ms: null };
      next.steps = change(view.steps, entry.step_id, (step) => ({ commands: [...step.commands, command] }));
      break;
    }
    case 'command_result':
      // One that came too late says how its command ended, and no more; of an earlier run there is none here to change.
      next.steps = change(view.steps, entry.step_id, (step) => ({
        commands: step.commands.map((command) =>
          command.id === entry.command_id
            ? { ...command, status: commandStatus(entry), exit_code: entry.exit_code ?? null, duration_ms: entry.duration_ms }
            : command,
        ),
      }));
      break;
    case 'prompt':
      next.steps = change(view.steps, entry.step_id, () => ({ status: 'waiting' }));
      openPrompt(next);
      next.status = 'waiting';
      break;
    case 'prompt_response':
    case 'prompt_timeout':
      next.steps = change(view.steps, entry.step_id, () => ({ status: 'running' }));
      openPrompt(next);
      next.status = next.prompt ? 'waiting' : 'running';
      break;
    case 'wait_started':
      next.steps = change(view.steps, entry.step_id, () => ({ status: 'waiting' }));
      break;
    case 'wait_finished':
      next.steps = change(view.steps, entry.step_id, () => ({ status: 'running' }));
      break;
    case 'step_finished':
      next.steps = change(view.steps, entry.step_id, (step) => ({ status: entry.status, started_at: step.started_at ?? entry.timestamp, finished_at: entry.timestamp }));
      break;
    case 'execution_finished':
      next.status = entry.status;
      next.error = entry.error ?? null;
      next.finished_at = entry.timestamp;
      next.prompt = null;
      next.prompts = [];
      next.waiting_for_input = false;
      break;
  }
  return next;
}

export function ended(view: Pick<ExecutionView, 'status'>): boolean {
  return view.status === 'completed' || view.status === 'failed' || view.status === 'aborted';
}

function begin(view: ExecutionView, entry: Entry): void {
  if (view.status === 'queued') view.status = 'running';
  view.started_at ??= entry.timestamp;
}

function change(steps: StepView[], id: string, to: (step: StepView) => Partial<StepView>): StepView[] {
  return steps.map((step) => (step.id === id ? { ...step, ...to(step) } : step));
}

/** The questions without an answer, oldest first. */
function openPrompt(view: ExecutionView): void {
  const open = new Map<string, PromptView>();
  for (const entry of view.logs) {
    if (entry.action === 'prompt') {
      const { prompt_id: id, step_id: step, message, options, output, deadline, fields = [], allow = [] } = entry;
      open.set(id, { id, step, message, options, output, deadline, fields, allow });
    } else if (entry.action === 'prompt_response' || entry.action === 'prompt_timeout') {
      open.delete(entry.prompt_id);
    }
  }
  view.prompts = [...open.values()];
  view.prompt = view.prompts[0] ?? null;
  view.waiting_for_input = view.prompt !== null;
}

function commandStatus(entry: Extract<Entry, { action: 'command_result' }>): CommandStatus {
  if (entry.success) return 'completed';
  return entry.outcome === 'timed_out' || entry.outcome === 'cancelled' || entry.outcome === 'lost' ? entry.outcome : 'failed';
}
