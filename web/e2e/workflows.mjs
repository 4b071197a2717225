// Workflows that the end-to-end scripts put on the server.

/** Finds something, asks, and cleans. In the middle of its first command it waits for a file, the gate, which a test makes when it has seen enough. */
export const live = {
  description: 'Slow work, a question, and more work',
  tags: ['e2e'],
  targets: 'all',
  params: [
    { name: 'label', type: 'string', description: 'Printed with each line', default: 'disk' },
    { name: 'limit', type: 'integer', description: 'Percent at which to ask', default: 80, min: 1, max: 100 },
    { name: 'mode', type: 'choice', options: ['ask', 'auto'], default: 'ask' },
    { name: 'verbose', type: 'boolean', default: false },
    { name: 'gate', type: 'string', description: 'The file to wait for', default: '/' },
  ],
  steps: [
    {
      id: 'work', name: 'Measure', type: 'execute', timeout: '5m',
      command: 'for i in 1 2 3 4 5 6; do echo {{ label }} line $i; if [ $i = 3 ]; then until [ -e {{ gate }} ]; do sleep 0.1; done; fi; done; echo DISK_PCT=91; echo DISK_DEV=/dev/sda1',
    },
    { id: 'read', name: 'Read the figures', type: 'parse' },
    { id: 'decide', name: 'Decide', type: 'route', conditions: [{ if: 'state.disk_pct > params.limit', goto: 'ask', label: 'disk is full' }, { default: true, goto: 'end' }] },
    { id: 'ask', name: 'Ask', type: 'prompt', message: 'Clean up {{ state.disk_dev }}?', options: [{ label: 'Clean', goto: 'clean', style: 'danger' }, { label: 'Leave it', goto: 'end' }] },
    { id: 'clean', name: 'Clean', type: 'execute', command: 'for i in 1 2 3; do echo "cleaned $i"; done' },
  ],
};

/** Output that would like to be markup, a link, a title, another screen. */
export const hostile = {
  description: 'Output of an enemy',
  steps: [
    {
      id: 'attack', type: 'execute', targets: 'all',
      command: [
        `printf '<script>window.pwned = 1</script><img src=x onerror="window.pwned = 2">\\n'`,
        `printf '\\033[31mred\\033[0m \\033[1;42mon green\\033[0m \\033[38;2;255;128;0mtrue colour\\033[0m\\n'`,
        `printf '\\033]0;stolen title\\007\\033]8;;http://evil.example/\\007a link\\033]8;;\\007\\n'`,
        `printf '10%%\\r50%%\\r100%% done\\n'`,
        `printf '\\033[?1049h\\033[2J\\033[3J\\033cstill here\\n'`,
        `printf 'EVIL=<script>window.pwned = 3</script>\\n'`,
      ].join('; '),
    },
    { id: 'read', type: 'parse' },
    { id: 'ask', type: 'prompt', message: 'Seen <b>{{ state.evil }}</b>?', options: ['Yes', 'No'] },
  ],
};

/** A hundred thousand lines as fast as they come. */
export const flood = {
  description: 'A hundred thousand lines',
  steps: [{ id: 'flood', type: 'execute', targets: 'all', command: "seq -f 'line number %.0f of the flood' 1 100000" }],
};

/** One worker at a time; the second fails, because it finds what the first one left, and the rest never get a turn. */
export const partial = {
  description: 'A roll-out that one worker stops',
  params: [{ name: 'mark', type: 'string', required: true }],
  steps: [
    {
      id: 'deploy', name: 'Deploy', type: 'execute', targets: 'all', strategy: { parallel: 1, max_failures: 0 },
      command: 'echo deploying; if [ -e {{ mark }} ]; then echo no space left on device >&2; exit 28; fi; : > {{ mark }}',
    },
    { id: 'after', name: 'Tell everybody', type: 'execute', targets: 'any', command: 'echo done' },
  ],
};

/** One command that waits for the gate. */
export const gated = {
  description: 'Waits for a file',
  targets: 'all',
  params: [{ name: 'gate', type: 'string', required: true }],
  steps: [{ id: 'work', name: 'Work', type: 'execute', timeout: '30m', command: 'echo begun; until [ -e {{ gate }} ]; do sleep 0.1; done; echo over' }],
};

/** What a step of `nested` starts: it looks at a host, and waits in the middle of that for the gate. */
export const child = {
  description: 'Looks at one host',
  params: [{ name: 'host', type: 'string', required: true }, { name: 'gate', type: 'string', required: true }],
  steps: [
    { id: 'look', name: 'Look', type: 'execute', targets: 'any', command: 'echo looking at {{ host }}; until [ -e {{ gate }} ]; do sleep 0.1; done' },
    { id: 'keep', name: 'Keep what was seen', type: 'set', values: { seen: 'params.host' } },
  ],
};

/** Branches side by side, items side by side with a child execution and a question each, and steps that always come last. */
export const nested = {
  description: 'Branches, items and children',
  params: [{ name: 'gate', type: 'string', required: true }],
  steps: [
    {
      id: 'sides', name: 'Both sides', type: 'parallel',
      branches: [
        { name: 'left', steps: [{ id: 'ask', name: 'Ask first', type: 'prompt', message: 'Go on with all hosts?', options: ['Yes', 'No'] }] },
        { name: 'right', steps: [{ id: 'measure', name: 'Measure', type: 'execute', targets: 'all', command: 'echo LOAD=3' }, { id: 'read', name: 'Read the load', type: 'parse' }] },
      ],
    },
    {
      id: 'each', name: 'Each host', type: 'foreach', items: ['db <1>', 'app', 'cache'], as: 'host', parallel: 2,
      steps: [
        { id: 'inspect', name: 'Inspect', type: 'workflow', workflow: 'e2e-child', params: { host: '{{ host }}', gate: '{{ gate }}' } },
        { id: 'confirm', name: 'Confirm', type: 'prompt', condition: 'host != "cache"', message: 'Restart {{ host }}?', options: [{ label: 'Restart', style: 'danger' }, 'Leave it'] },
        { id: 'restart', name: 'Restart', type: 'execute', targets: 'all', command: 'echo restarted {{ host }}' },
      ],
    },
  ],
  finally: [{ id: 'tidy', name: 'Tidy up', type: 'execute', targets: 'any', command: 'echo tidy' }],
};
