// What the journal does not tell of commands that have not ended: which wait to be sent, and which are on workers that
// cannot be reached. The server tells it with each read, and live.
import type { CommandView, Delivery, ExecutionSummary, ExecutionView, ToBrowser } from '../../api/generated';

export interface DeliveryFacts {
  queued: ReadonlySet<string>;
  unreachable: ReadonlySet<string>;
}

export const NOTHING_WAITS: DeliveryFacts = { queued: new Set(), unreachable: new Set() };

/** What a read view says. */
export function factsRead(view: Pick<ExecutionView, 'steps'>): DeliveryFacts {
  const commands = view.steps.flatMap((step) => step.commands);
  const ids = (those: (command: CommandView) => boolean) => new Set(commands.filter(those).map((command) => command.id));
  return { queued: ids((command) => command.status === 'queued'), unreachable: ids((command) => command.unreachable === true) };
}

/** What a live message says: all of it, in place of what was said before. */
export function factsHeard({ queued, unreachable }: Extract<ToBrowser, { type: 'execution_delivery' }>): DeliveryFacts {
  return { queued: new Set(queued), unreachable: new Set(unreachable) };
}

/** A view folded from the journal, with what is known besides. Of a command that has ended the journal knows better. */
export function withDelivery(view: ExecutionView, facts: DeliveryFacts): ExecutionView {
  const open = view.steps.flatMap((step) => step.commands).filter((command) => command.status === 'running');
  const isQueued = ({ id }: CommandView) => facts.queued.has(id);
  const isAway = ({ id }: CommandView) => facts.unreachable.has(id);
  if (!open.some((command) => isQueued(command) || isAway(command))) return { ...view, delivery: undefined };
  // As the server has it: one that cannot be reached counts, and queued is what is queued as a whole.
  const delivery: Delivery | undefined = open.some(isAway) ? 'worker_unreachable' : open.every(isQueued) ? 'queued' : undefined;
  const shown = (command: CommandView): CommandView => {
    if (command.status !== 'running') return command;
    return isQueued(command) ? { ...command, status: 'queued' } : isAway(command) ? { ...command, unreachable: true } : command;
  };
  return { ...view, delivery, steps: view.steps.map((step) => ({ ...step, commands: step.commands.map(shown) })) };
}

/** The same in a list of executions, whose live summaries do not tell it. */
export class ListedDeliveries {
  private readonly heard = new Map<string, Delivery>();

  hear(id: string, delivery: Delivery | null): void {
    if (delivery) this.heard.set(id, delivery);
    else this.heard.delete(id);
  }

  /** The list has been read anew. */
  forget(): void {
    this.heard.clear();
  }

  /** A newer summary with what is known besides: heard of, or read with the row that it takes the place of. */
  of(update: ExecutionSummary, row: ExecutionSummary | undefined): ExecutionSummary {
    return { ...update, delivery: update.finished_at ? undefined : (this.heard.get(update.id) ?? row?.delivery) };
  }
}
