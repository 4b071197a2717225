// Frames: the lists of steps that run side by side. A step within a foreach runs once per item, each time in a frame of its own.
import type { Entry } from '../../api/generated';

export interface Frame {
  /** The branch, the item, `on_failure` or `finally`. */
  name: string;
  /** The frame of the step that runs it; none for `on_failure` and `finally`. */
  above: number | null;
  isItem: boolean;
}

/** By frame id; the document's own steps, frame 0, are none of them. */
export function framesOf(logs: Entry[]): Map<number, Frame> {
  const frames = new Map<number, Frame>();
  for (const entry of logs) {
    if (entry.action === 'frame_started') frames.set(entry.frame_id, { name: entry.name, above: entry.parent?.frame ?? null, isItem: entry.item !== undefined });
  }
  return frames;
}

/** For which items a step runs in a frame, from the outside in: `db / disk 1`. Empty outside of every foreach. */
export function itemsOf(frames: Map<number, Frame>, id: number): string {
  const names: string[] = [];
  for (let frame = frames.get(id); frame; frame = frame.above === null ? undefined : frames.get(frame.above)) {
    if (frame.isItem) names.unshift(frame.name);
  }
  return names.join(' / ');
}

/** The branch or phase that a frame is, where it is one. */
export function branchOf(frames: Map<number, Frame>, id: number): string | undefined {
  const frame = frames.get(id);
  return frame && !frame.isItem ? frame.name : undefined;
}
