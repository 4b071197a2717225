// The CRT switch: scanlines, flicker and glow on or off, remembered by this browser.

const KEY = 'pulse.crt';

export class Crt {
  on = $state(true);

  constructor(private readonly storage: Pick<Storage, 'getItem' | 'setItem'>, private readonly root: HTMLElement) {
    try {
      this.on = storage.getItem(KEY) !== 'off';
    } catch {
      // A browser that refuses storage still gets the switch, only without a memory.
    }
    this.show();
  }

  toggle(): void {
    this.on = !this.on;
    this.show();
    try {
      this.storage.setItem(KEY, this.on ? 'on' : 'off');
    } catch {
      // As above.
    }
  }

  private show(): void {
    this.root.dataset.crt = this.on ? 'on' : 'off';
  }
}
