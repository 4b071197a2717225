// One clock for the whole page: the current time as state, moved once a second, so that relative times stay true.
import { createSubscriber } from 'svelte/reactivity';

class Clock {
  private readonly listen = createSubscriber((update) => {
    const timer = setInterval(update, 1000);
    return () => clearInterval(timer);
  });

  get now(): number {
    this.listen();
    return Date.now();
  }
}

export const clock = new Clock();
