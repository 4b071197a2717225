// The output of one execution as it arrived: chunks in order, the commands they came from, and how they read as one text.
import type { OutputChunk } from '../../api/generated';
import { plainLine } from '../../ui/plain';

export type Chunk = Pick<OutputChunk, 'command_id' | 'step_id' | 'worker' | 'attempt' | 'stream' | 'data' | 'gap_bytes'>;

/** One command that wrote something. */
export interface Source {
  command_id: string;
  step_id: string;
  worker: string;
  attempt: number;
}

export interface OutputFilter {
  command: string | null;
  stream: 'stdout' | 'stderr' | null;
}

/** More than this is kept by the server only; the oldest goes first. */
const MAX_CHARS = 32 * 1024 * 1024;

export class Transcript {
  sources = $state.raw<Source[]>([]);
  /** Whether everything that was there at first has come. */
  complete = $state(false);
  /** How many chunks ever arrived: what a reader watches. */
  arrived = $state(0);
  private chunks: Chunk[] = [];
  private dropped = 0;
  private chars = 0;

  add(chunk: Chunk): void {
    this.chunks.push(chunk);
    this.chars += chunk.data.length;
    if (!this.sources.some((source) => source.command_id === chunk.command_id)) {
      const { command_id, step_id, worker, attempt } = chunk;
      this.sources = [...this.sources, { command_id, step_id, worker, attempt }];
    }
    while (this.chars > MAX_CHARS && this.chunks.length > 1) {
      this.chars -= this.chunks.shift()!.data.length;
      this.dropped += 1;
    }
    this.arrived += 1;
  }

  /** The chunks from number `index` on (counted from the very first), as far as they are still held. */
  from(index: number): Chunk[] {
    return this.chunks.slice(Math.max(0, index - this.dropped));
  }
}

/** Writes chunks for the terminal, with a line that names the command wherever another one goes on. */
export class Reader {
  private last: { command_id: string; endsLine: boolean } | null = null;

  constructor(private readonly filter: OutputFilter) {}

  read(chunk: Chunk): string {
    if (this.filter.command !== null && chunk.command_id !== this.filter.command) return '';
    if (this.filter.stream !== null && chunk.stream !== this.filter.stream) return '';
    let text = chunk.gap_bytes === undefined ? chunk.data : gapNote(chunk.gap_bytes, this.last?.endsLine ?? true);
    if (this.filter.command === null && this.last?.command_id !== chunk.command_id) {
      const line = `\x1b[0;1;36m── ${sourceName(chunk)} ──\x1b[0m\n`;
      text = (this.last && !this.last.endsLine ? '\n' : '') + line + text;
    }
    this.last = { command_id: chunk.command_id, endsLine: text.endsWith('\n') };
    return text;
  }
}

/** A marker for output that is missing, as a line of its own. */
function gapNote(bytes: number, atLineStart: boolean): string {
  const what =
    bytes === 0
      ? 'there is too much output; the rest is held back, and its end follows when the command ends'
      : `${bytes} bytes of output are not kept here`;
  return `${atLineStart ? '' : '\n'}\x1b[0;1;33m[PULSE: ${what}]\x1b[0m\n`;
}

export function sourceName(source: Source): string {
  const again = source.attempt > 1 ? ` · attempt ${source.attempt}` : '';
  return `${plainLine(source.step_id)} @ ${plainLine(source.worker)}${again}`;
}
