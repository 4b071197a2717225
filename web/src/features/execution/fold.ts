// Folds journal entries into the view of an execution, as the server does (pulse-engine: apply.rs, view.rs), so that what
// is shown after live events is what a reload shows. The journals in `recorded/` hold both sides to one another.
import type { CommandStatus, CommandView, Entry, ExecutionView, PromptView, StepStatus, StepView } from '../../api/generated';

type Of<A extends Entry['action']> = Extract<Entry, { action: A }>;

/** A step within one frame (a list of steps that runs): what its last run there has come to. */
interface StepRecord {
  runs: number;
  status: StepStatus;
  startedAt: string | null;
  finishedAt: string | null;
  commands: CommandView[];
}

/** What the step that a frame is at is doing, as far as it matters to the view. */
type Run = { kind: 'works' | 'lists' | 'wait' } | { kind: 'prompt'; prompt: PromptView };

interface Active {
  stepId: string;
  run: Run;
}

/** The frame of the document's own steps. */
const ROOT = 0;

/** Carries one execution on from a read view; `view` is a new object after each entry. */
export class Fold {
  view: ExecutionView;
  /** Per step, its records by frame, in the order in which they came about. */
  private readonly records = new Map<string, Map<number, StepRecord>>();
  /** The frames that have not ended, with the step each is at. */
  private readonly frames = new Map<number, Active | null>();
  private readonly changed = new Set<string>();
  private created = false;
  private queued = false;

  constructor(read: ExecutionView) {
    const steps = read.steps.map((step): StepView => ({ ...step, runs: 0, status: 'pending', started_at: null, finished_at: null, commands: [] }));
    this.view = { ...read, steps, state: {}, children: [], started_at: null, finished_at: null, error: null, logs: [] };
    read.logs.forEach((entry) => this.take(entry));
    this.view = this.show(read.logs);
  }

  /** Takes one more entry; false when it is in the view already. */
  apply(entry: Entry): boolean {
    const last = this.view.logs.at(-1);
    if (last && entry.seq <= last.seq) return false;
    this.view = { ...this.view };
    this.take(entry);
    this.view = this.show([...this.view.logs, entry]);
    return true;
  }

  private take(entry: Entry): void {
    switch (entry.action) {
      case 'execution_created':
        this.created = true;
        this.frames.set(ROOT, null);
        break;
      case 'execution_queued':
        this.queued = true;
        break;
      case 'execution_started':
        this.queued = false;
        break;
      case 'frame_started':
        this.frames.set(entry.frame_id, null);
        if (entry.parent) this.runs(entry.parent, { kind: 'lists' });
        break;
      case 'frame_finished':
        // One without a step is a top-level list: it stays where it is.
        if (entry.parent) this.frames.delete(entry.frame_id);
        break;
      case 'items_resolved':
        this.runs(entry, { kind: 'lists' });
        break;
      case 'child_started': {
        const { execution_id, step_id, workflow } = entry;
        this.view.children = [...this.view.children, { execution_id, step_id, workflow, status: null }];
        break;
      }
      case 'child_finished':
        this.view.children = this.view.children.map((child) => (child.execution_id === entry.execution_id ? { ...child, status: entry.status } : child));
        break;
      case 'step_started':
        this.start(entry, 'running').runs = entry.run;
        this.frames.set(entry.frame, { stepId: entry.step_id, run: { kind: 'works' } });
        break;
      case 'step_skipped': {
        const record = this.record(entry);
        record.status = 'skipped';
        record.startedAt = null;
        record.finishedAt = entry.timestamp;
        this.goOn(entry);
        break;
      }
      case 'command_sent':
        this.record(entry).commands.push({ id: entry.command_id, worker: entry.worker, attempt: entry.attempt, status: 'running', exit_code: null, duration_ms: null });
        break;
      case 'command_moved': {
        const { commands } = this.record(entry);
        const index = commands.findIndex((command) => command.id === entry.command_id);
        const command = commands[index];
        if (command) commands[index] = { ...command, worker: entry.worker };
        break;
      }
      case 'command_result': {
        const { commands } = this.record(entry);
        const index = commands.findIndex((command) => command.id === entry.command_id);
        const command = commands[index];
        if (command) commands[index] = { ...command, status: commandStatus(entry), exit_code: entry.exit_code ?? null, duration_ms: tookMs(entry) };
        break;
      }
      case 'prompt':
        this.record(entry).status = 'waiting';
        this.runs(entry, { kind: 'prompt', prompt: promptView(entry) });
        break;
      case 'prompt_response':
        this.answer(entry, entry.response);
        this.set(entry.fields ?? {});
        break;
      case 'prompt_timeout':
        if (entry.response !== undefined) this.answer(entry, entry.response);
        break;
      case 'wait_started':
        this.record(entry).status = 'waiting';
        this.runs(entry, { kind: 'wait' });
        break;
      case 'wait_finished':
        this.record(entry).status = 'running';
        break;
      // Steps that end at once have this one event. A parse without `next` belongs to an execute step that goes on.
      case 'parse_complete':
        this.set(entry.parsed);
        if (entry.next !== null) this.instant(entry);
        break;
      case 'values_set':
        this.set(entry.values);
        this.instant(entry);
        break;
      case 'route_taken':
      case 'route_unmatched':
        this.instant(entry);
        break;
      case 'step_finished': {
        // A step whose condition or expression failed has not started: this is its only event.
        if (!this.frames.get(entry.frame)) this.start(entry, entry.status);
        const record = this.record(entry);
        record.status = entry.status;
        record.finishedAt = entry.timestamp;
        this.goOn(entry);
        break;
      }
      case 'execution_finished':
        this.view.status = entry.status;
        this.view.finished_at = entry.timestamp;
        this.view.error = entry.error ?? null;
        break;
    }
  }

  private record({ frame, step_id }: { frame: number; step_id: string }): StepRecord {
    this.changed.add(step_id);
    let frames = this.records.get(step_id);
    if (!frames) this.records.set(step_id, (frames = new Map()));
    let record = frames.get(frame);
    if (!record) frames.set(frame, (record = { runs: 0, status: 'pending', startedAt: null, finishedAt: null, commands: [] }));
    return record;
  }

  /** Counts a step's start and clears what its run before has left. */
  private start(at: { frame: number; step_id: string; timestamp: string }, status: StepStatus): StepRecord {
    this.view.started_at ??= at.timestamp;
    const record = this.record(at);
    Object.assign(record, { runs: record.runs + 1, status, startedAt: at.timestamp, finishedAt: null, commands: [] });
    return record;
  }

  private instant(at: { frame: number; step_id: string; timestamp: string }): void {
    this.start(at, 'completed').finishedAt = at.timestamp;
    this.goOn(at);
  }

  /** Moves a frame on: its step is over. */
  private goOn({ frame }: { frame: number }): void {
    if (this.frames.has(frame)) this.frames.set(frame, null);
  }

  private runs(at: { frame: number; step_id: string }, run: Run): void {
    const active = this.frames.get(at.frame);
    if (active?.stepId === at.step_id) active.run = run;
  }

  private answer(at: { frame: number; step_id: string }, response: string): void {
    this.record(at).status = 'running';
    this.set({ prompt_response: response });
  }

  private set(values: Record<string, unknown>): void {
    this.view.state = { ...this.view.state, ...values };
  }

  private show(logs: Entry[]): ExecutionView {
    const steps = this.view.steps.map((step) => (this.changed.has(step.id) ? this.step(step) : step));
    this.changed.clear();
    const over = this.view.finished_at !== null;
    const runs = [...this.frames.values()].flatMap((active) => (active ? [active.run] : []));
    const prompts = over ? [] : runs.flatMap((run) => (run.kind === 'prompt' ? [run.prompt] : [])).sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
    // A step that runs lists of steps waits when all of them do.
    const leaves = runs.filter((run) => run.kind !== 'lists');
    const waits = leaves.length > 0 && leaves.every((run) => run.kind === 'prompt' || run.kind === 'wait');
    const status = over ? this.view.status : this.queued || !this.created ? 'queued' : waits ? 'waiting' : 'running';
    return { ...this.view, status, steps, prompts, prompt: prompts[0] ?? null, waiting_for_input: prompts.length > 0, logs };
  }

  private step(step: StepView): StepView {
    const records = [...(this.records.get(step.id)?.values() ?? [])];
    const time = (record: StepRecord) => [record.startedAt ?? '', record.finishedAt ?? ''].sort()[1]!;
    // Of several as late as each other, the one that came about last.
    const latest = (some: StepRecord[]) => some.reduce<StepRecord | undefined>((best, record) => (best && time(best) > time(record) ? best : record), undefined);
    const that = (status: StepStatus) => latest(records.filter((record) => record.status === status));
    const shown = that('running') ?? that('waiting') ?? latest(records);
    return {
      ...step,
      runs: records.reduce((sum, record) => sum + record.runs, 0),
      status: shown?.status ?? 'pending',
      started_at: shown?.startedAt ?? null,
      finished_at: shown?.finishedAt ?? null,
      commands: records.flatMap((record) => record.commands),
    };
  }
}

export function ended(view: Pick<ExecutionView, 'status'>): boolean {
  return view.status === 'completed' || view.status === 'failed' || view.status === 'aborted';
}

function promptView({ prompt_id: id, step_id: step, message, options, output, deadline, fields = [], allow = [] }: Of<'prompt'>): PromptView {
  return { id, step, message, options, output, deadline, fields, allow };
}

function commandStatus(entry: Of<'command_result'>): CommandStatus {
  if (entry.outcome === 'exited') return entry.success ? 'completed' : 'failed';
  return entry.outcome === 'not_started' ? 'failed' : entry.outcome;
}

/** How long a command took; of what is lost often nobody knows. */
export function tookMs({ outcome, duration_ms }: Pick<Of<'command_result'>, 'outcome' | 'duration_ms'>): number | null {
  return outcome === 'lost' && duration_ms === 0 ? null : duration_ms;
}
