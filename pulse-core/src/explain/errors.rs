//! The errors.

use super::{Entry, Example};
use crate::diagnostic::Code;

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        code: Code::Syntax,
        means: "The text is neither YAML nor JSON: a bracket or quote is not closed, a line is indented so that it \
                belongs nowhere, a tab indents, a key is no text, or the file holds more than one document.",
        matters: "Nothing behind the place can be read, so other mistakes may show only once this one is mended.",
        mend: "Look at the place and the lines above it: the reader notices a missing bracket, quote or colon only \
               where the text stops making sense.",
        example: Some(Example {
            wrong: r#"steps:
  - command: df -h
    targets: [web-01, web-02
  - command: uptime
"#,
            mended: r#"steps:
  - command: df -h
    targets: [web-01, web-02]
  - command: uptime
"#,
        }),
    },
    Entry {
        code: Code::TooLarge,
        means: "A document has at most 256 KiB and 64 levels of nesting, and its aliases (`*name`) may add at most \
                10,000 values.",
        matters: "A few lines of nested aliases can stand for more values than any machine has memory for. The limits \
                  keep such a document from harming the server.",
        mend: "Write values out instead of nesting aliases, keep long scripts in files on the workers, and split a \
               large workflow into several.",
        example: Some(Example {
            wrong: r#"tags:
  - &a [x, x, x, x, x, x, x, x, x, x]
  - &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]
  - &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]
  - &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]
steps:
  - command: uptime
"#,
            mended: r#"tags: [x]
steps:
  - command: uptime
"#,
        }),
    },
    Entry {
        code: Code::DuplicateKey,
        means: "A mapping holds the same key twice.",
        matters: "YAML readers disagree about which of the two counts. One of them would silently have no effect.",
        mend: "Keep the one that is meant.",
        example: Some(Example {
            wrong: r#"steps:
  - command: df -h
    timeout: 30s
    timeout: 5m
"#,
            mended: r#"steps:
  - command: df -h
    timeout: 5m
"#,
        }),
    },
    Entry {
        code: Code::TagNotAllowed,
        means: "A value carries a YAML tag like `!secret` or `!!binary`.",
        matters: "Tags mean something only to the program they were written for. Here they would be ignored, and the \
                  value would not be what its author thinks.",
        mend: "Leave the tag out and write the value as it is. Text that looks like a number goes into quotes, and so does a \
               condition that begins with `!`: `condition: \"!params.force\"`.",
        example: Some(Example {
            wrong: r#"steps:
  - command: echo {{ port }}
params:
  - name: port
    default: !!str 8080
"#,
            mended: r#"steps:
  - command: echo {{ port }}
params:
  - name: port
    default: "8080"
"#,
        }),
    },
    Entry {
        code: Code::UnknownField,
        means: "A mapping has a field that the language does not have there. Often it is misspelt, or it stands one \
                level too high or too low.",
        matters: "A field that is ignored looks as if it worked: with `retrys: 3`, nothing is ever tried again.",
        mend: "Write the field as the language has it (the help line names the nearest), move it where it belongs, or \
               leave it out. `pulse schema` teaches an editor all fields.",
        example: Some(Example {
            wrong: r#"steps:
  - command: systemctl restart nginx
    retrys: 3
"#,
            mended: r#"steps:
  - command: systemctl restart nginx
    retries: 3
"#,
        }),
    },
    Entry {
        code: Code::MissingField,
        means: "A field without which this makes no sense is not there: a workflow without steps, a prompt without a \
                message, a choice without options.",
        matters: "PULSE does not guess what was meant.",
        mend: "Add the field that the message names.",
        example: Some(Example {
            wrong: r#"steps:
  - id: read
    type: parse
    format: lines
"#,
            mended: r#"steps:
  - id: read
    type: parse
    format: lines
    as: hosts
"#,
        }),
    },
    Entry {
        code: Code::WrongType,
        means: "A field holds another kind of value than it must: text instead of a number, a list instead of a \
                mapping, something that is no duration.",
        matters: "Reading it some other way would be a guess.",
        mend: "Write the value as the message says. Durations are seconds as a number, or like 500ms, 30s, 5m, 2h, 1d.",
        example: Some(Example {
            wrong: r#"steps:
  - command: df -h
    timeout: five minutes
"#,
            mended: r#"steps:
  - command: df -h
    timeout: 5m
"#,
        }),
    },
    Entry {
        code: Code::OutOfRange,
        means: "A number or duration is too small or too large for its field, or a word is not among those the field \
                knows.",
        matters: "Each limit keeps a slip, like milliseconds written as seconds, from holding up an execution for days \
                  or from running something a thousand times.",
        mend: "Stay within the range that the message names.",
        example: Some(Example {
            wrong: r#"steps:
  - command: curl -f http://localhost/
    retries: 1000
"#,
            mended: r#"steps:
  - command: curl -f http://localhost/
    retries: 100
"#,
        }),
    },
    Entry {
        code: Code::BadName,
        means: "A name or id holds characters that names do not have, is too long, or is a word that jumps use \
                (`end`, `fail`, `continue`). Or a step would set `prompt_response` or `promptResponse` (by `set`, `as`, \
                a group of a pattern, a field of a prompt).",
        matters: "Ids and parameters are named in expressions, where `disk-pct` would be `disk` minus `pct`. \
                  `prompt_response` is the last answer of a person, and nothing else.",
        mend: "Names of parameters and values are letters, digits and _, not starting with a digit. Step ids may \
               also hold `-`.",
        example: Some(Example {
            wrong: r#"params: [disk-pct]
steps:
  - command: uptime
"#,
            mended: r#"params: [disk_pct]
steps:
  - command: uptime
"#,
        }),
    },
    Entry {
        code: Code::DuplicateId,
        means: "Two steps have the same id, two parameters the same name, or two options a label or value in common.",
        matters: "A jump, a reference or an answer could mean either.",
        mend: "Rename one of them, and whatever refers to it. Step ids are unique in the whole document.",
        example: Some(Example {
            wrong: r#"steps:
  - {id: check, command: df -h}
  - {id: check, command: uptime}
"#,
            mended: r#"steps:
  - {id: check_disk, command: df -h}
  - {id: check_load, command: uptime}
"#,
        }),
    },
    Entry {
        code: Code::UnknownStep,
        means: "A `goto`, route, option, `on_error` or `from` names a step that is not there. A jump leads only to \
                steps of the same list, or to `end` or `fail`.",
        matters: "The execution would not know where to go on.",
        mend: "Correct the id (the help line names the nearest), or add the step. To leave a list early, go to `end` \
               or `fail`.",
        example: Some(Example {
            wrong: r#"steps:
  - {id: check, command: df -h, goto: raport}
  - {id: report, command: uptime}
"#,
            mended: r#"steps:
  - {id: check, command: df -h, goto: report}
  - {id: report, command: uptime}
"#,
        }),
    },
    Entry {
        code: Code::UnknownStepType,
        means: "`type` is no step type, or it is left out and the fields do not tell which one is meant.",
        matters: "What the step does is not known.",
        mend: "Write one of execute, parse, route, prompt, wait, set, parallel, foreach, workflow. `type` may be left \
               out where a field says it: `command:` means execute, `message:` means prompt.",
        example: Some(Example {
            wrong: r#"steps:
  - type: excute
    command: df -h
"#,
            mended: r#"steps:
  - type: execute
    command: df -h
"#,
        }),
    },
    Entry {
        code: Code::BadExpression,
        means: "An expression does not compile: it is incomplete, has statements, or uses something that expressions \
                do not have.",
        matters: "Expressions only compute a value: no assignments, loops or functions of their own. Most JavaScript \
                  conditions of the first PULSE read the same here.",
        mend: "Complete it, or compute in several `set` steps what does not fit one expression.",
        example: Some(Example {
            wrong: r#"steps:
  - id: check
    command: df -h
  - id: clean
    command: rm -rf /tmp/cache
    condition: steps.check.status == 'completed' &&
"#,
            mended: r#"steps:
  - id: check
    command: df -h
  - id: clean
    command: rm -rf /tmp/cache
    condition: steps.check.status == 'completed' && last.exit_code == 0
"#,
        }),
    },
    Entry {
        code: Code::BadTemplate,
        means: "A template `{{ … }}` is not closed, holds no expression that compiles, uses a filter that does not \
                exist, or stands where no value can be handed over safely.",
        matters: "Values reach a shell as data, never as a part of its program. Where that is impossible, the \
                  template is refused instead of being filled in some unsafe way.",
        mend: "Close it with `}}`. For a literal `{{` write `{{{{`. Hand values to shells other than POSIX ones \
               through `env`, `stdin` or `argv`. Where an argument of `argv` is a script (`[sh, -c, …]`, `[ssh, host, …]`), give \
               the value as a further argument: `[sh, -c, 'df \"$1\"', sh, \"{{ x }}\"]`.",
        example: Some(Example {
            wrong: r#"params: [mount]
steps:
  - command: df -h {{ mount }
"#,
            mended: r#"params: [mount]
steps:
  - command: df -h {{ mount }}
"#,
        }),
    },
    Entry {
        code: Code::UnknownReference,
        means: "An expression, template or route names a parameter, step or option that does not exist.",
        matters: "It would always be missing: the condition would never hold, or the step would fail when it is too \
                  late to mend the definition.",
        mend: "Correct the name (the help line has the nearest), or declare it.",
        example: Some(Example {
            wrong: r#"params: [mount]
steps:
  - command: df -h {{ params.muont }}
"#,
            mended: r#"params: [mount]
steps:
  - command: df -h {{ params.mount }}
"#,
        }),
    },
    Entry {
        code: Code::BadDefault,
        means: "A parameter's default does not satisfy the parameter itself: wrong type, outside `min` and `max`, not \
                among the options, or not matching `pattern`.",
        matters: "Whoever starts the workflow without giving the parameter would be refused.",
        mend: "Change the default, or the rule that it breaks.",
        example: Some(Example {
            wrong: r#"params:
  - {name: limit, type: integer, min: 1, max: 100, default: 120}
steps:
  - command: echo {{ limit }}
"#,
            mended: r#"params:
  - {name: limit, type: integer, min: 1, max: 100, default: 80}
steps:
  - command: echo {{ limit }}
"#,
        }),
    },
    Entry {
        code: Code::NotAvailable,
        means: "A part of the language that this version of PULSE does not run yet.",
        matters: "It is refused instead of being ignored, so that nobody relies on what does not happen.",
        mend: "Leave it out, or use the way around that the help line names.",
        example: None,
    },
    Entry {
        code: Code::DefaultNotLast,
        means: "A route's `default: true` stands before other conditions.",
        matters: "The first condition that holds is taken, and the default always holds: nothing behind it is ever \
                  looked at.",
        mend: "Move the default to the end.",
        example: Some(Example {
            wrong: r#"params: [mode]
steps:
  - id: decide
    conditions:
      - {default: true, goto: end}
      - {if: params.mode == "auto", goto: clean}
  - id: clean
    command: rm -rf /tmp/cache
"#,
            mended: r#"params: [mode]
steps:
  - id: decide
    conditions:
      - {if: params.mode == "auto", goto: clean}
      - {default: true, goto: end}
  - id: clean
    command: rm -rf /tmp/cache
"#,
        }),
    },
    Entry {
        code: Code::BadPattern,
        means: "A regular expression does not compile, is too large, or (in a `parse` step) names no groups.",
        matters: "Nothing could match it, or nothing could be read with it.",
        mend: "Escape characters that mean something in patterns, and name the parts to keep as `(?<name>…)`. \
               Look-around and back-references do not exist here: every pattern runs in linear time.",
        example: Some(Example {
            wrong: r#"steps:
  - command: uptime
  - type: parse
    format: regex
    pattern: "load average: [0-9.]+"
"#,
            mended: r#"steps:
  - command: uptime
  - type: parse
    format: regex
    pattern: "load average: (?<load>[0-9.]+)"
"#,
        }),
    },
    Entry {
        code: Code::Conflict,
        means: "Two fields exclude each other, mean the same, or one does not belong to what the other says: both \
                `command` and `argv`, a way of an option under `goto` and under `routes`.",
        matters: "Only one of them could have an effect, and it is not said which.",
        mend: "Keep the one that is meant.",
        example: Some(Example {
            wrong: r#"steps:
  - command: df -h
    argv: [df, -h]
"#,
            mended: r#"steps:
  - argv: [df, -h]
"#,
        }),
    },
    Entry {
        code: Code::EndlessCycle,
        means: "Routes lead round in a circle with nothing between them: no command, prompt, wait or changed value. Or steps \
                lead round, and no way leads out: they only set and read values, or run commands whose failure leads \
                back, too. A step that fails into itself without anything that changes is one.",
        matters: "Whatever a route decided once, it decides again: the execution would go round until `max_steps`.",
        mend: "Lead the way back to a step that does something: the command whose result is looked at, a wait before \
               the next look, or a prompt.",
        example: Some(Example {
            wrong: r#"steps:
  - id: check
    command: curl -fs http://localhost/health
    success_codes: [0, 7]
  - id: decide
    conditions:
      - {if: last.exit_code == 0, goto: end}
      - {default: true, goto: decide}
"#,
            mended: r#"steps:
  - id: check
    command: curl -fs http://localhost/health
    success_codes: [0, 7]
  - id: decide
    conditions:
      - {if: last.exit_code == 0, goto: end}
      - {default: true, goto: pause}
  - {id: pause, type: wait, duration: 10s, goto: check}
"#,
        }),
    },
    Entry {
        code: Code::SecretMisuse,
        means: "A secret parameter is named somewhere else than as a whole placeholder of a command, a whole `env` entry \
                or the whole of `stdin`; a question asks for a secret; or a `workflow` step gives a value to a secret \
                parameter of its child, where that is known.",
        matters: "Conditions, values, messages and arguments are stored in the journal and shown, and what is computed \
                  from a secret could no longer be told from other text.",
        mend: "Write `{{ token }}` by itself in the command, or hand the value over as `env: {TOKEN: '{{ token }}'}` or \
               `stdin: '{{ token }}'`. What has to be decided by it or built from it, the command does. A child \
               reads its secrets from where they are kept.",
        example: Some(Example {
            wrong: r#"params: [{name: token, type: secret}]
steps:
  - command: curl -fsS --config - https://api.example/deploy
    stdin: "header = \"Authorization: Bearer {{ token }}\""
"#,
            mended: r#"params: [{name: token, type: secret}]
steps:
  - command: |
      printf 'header = "Authorization: Bearer %s"' "$TOKEN" |
        curl -fsS --config - https://api.example/deploy
    env: {TOKEN: "{{ token }}"}
"#,
        }),
    },
    Entry {
        code: Code::BadTarget,
        means: "A target that is no template is empty, or written in a way that can mean no worker: a label without its \
                name (`=db`), another sign than `=` and `!=` (`role==db`), a set (`role in (a,b)`, `web-[12]`), a bracket \
                that is not closed; or the list of targets is empty.",
        matters: "The step would find nobody to run on, and fail.",
        mend: "Write `all`, `any`, a worker's name, a pattern with `*` and `?`, or labels like `role=db,zone!=b`. What \
               else may be meant stands beside it in a list.",
        example: Some(Example {
            wrong: r#"steps:
  - command: uptime
    targets: role in (db, web)
"#,
            mended: r#"steps:
  - command: uptime
    targets: [role=db, role=web]
"#,
        }),
    },
    Entry {
        code: Code::ReservedName,
        means: "A parameter, a value that a step sets, or the item of a `foreach` is called `params`, `state`, `steps`, \
                `execution`, `last`, `prompt_response`, `promptResponse`, `true`, `false`, `null`, `undefined`, `if`, \
                `else` or `in`.",
        matters: "In a template a bare name means those first: `{{ steps }}` would be all steps, and not the parameter.",
        mend: "Call it something else.",
        example: Some(Example {
            wrong: r#"params: [steps]
steps:
  - command: scale --to {{ steps }}
"#,
            mended: r#"params: [step_count]
steps:
  - command: scale --to {{ step_count }}
"#,
        }),
    },
];
