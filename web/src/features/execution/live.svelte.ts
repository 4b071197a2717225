// One execution, live: read once over HTTP, then carried on by events, output and what else is told over the WebSocket.
import type { Api } from '../../api/calls';
import { isAbort, problemText } from '../../api/client';
import type { LiveSocket } from '../../api/socket';
import { Transcript } from '../output/transcript.svelte';
import type { ExecutionView } from '../../api/generated';
import { factsHeard, factsRead, NOTHING_WAITS, withDelivery, type DeliveryFacts } from './delivery';
import { Fold } from './fold';

export class LiveExecution {
  /** null until it has been read. */
  view = $state.raw<ExecutionView | null>(null);
  error = $state<string | null>(null);
  readonly transcript = new Transcript();
  private fold: Fold | null = null;
  private facts: DeliveryFacts = NOTHING_WAITS;
  /** How often the facts were heard: what is heard while a read is under way is newer than that. */
  private heard = 0;
  private readonly abort = new AbortController();
  private readonly leave: (() => void)[] = [];

  constructor(
    private readonly id: string,
    private readonly api: Pick<Api, 'execution'>,
    private readonly socket: Pick<LiveSocket, 'subscribe'>,
  ) {}

  async start(): Promise<void> {
    await this.read();
    if (this.abort.signal.aborted || !this.view || this.leave.length > 0) return;
    const after = this.view.logs.at(-1)?.seq ?? 0;
    this.leave.push(
      this.socket.subscribe(
        `execution:${this.id}`,
        (message) => {
          if (message.type === 'execution_event' && this.fold?.apply(message.entry)) this.show(this.fold);
          if (message.type === 'execution_delivery') this.hear(factsHeard(message));
          if (message.type === 'resync') void this.read();
        },
        after,
      ),
      this.socket.subscribe(
        `output:${this.id}`,
        (message) => {
          if (message.type === 'output') this.transcript.add(message);
          if (message.type === 'subscribed') this.transcript.complete = true;
        },
        0,
      ),
    );
  }

  /** Reads it anew; events that came meanwhile are kept. */
  async read(): Promise<void> {
    this.error = null;
    try {
      const { heard } = this;
      const read = await this.api.execution(this.id, this.abort.signal);
      const fold = new Fold(read);
      this.view?.logs.forEach((entry) => fold.apply(entry));
      this.fold = fold;
      if (this.heard === heard) this.facts = factsRead(read);
      this.show(fold);
    } catch (error) {
      if (!isAbort(error)) this.error = problemText(error);
    }
  }

  private hear(facts: DeliveryFacts): void {
    this.heard += 1;
    this.facts = facts;
    if (this.fold) this.show(this.fold);
  }

  private show(fold: Fold): void {
    this.view = withDelivery(fold.view, this.facts);
  }

  stop(): void {
    this.abort.abort();
    for (const leave of this.leave) leave();
  }
}
