//! The warnings.

use super::{Entry, Example};
use crate::diagnostic::Code;

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        code: Code::RawFilter,
        means: "`{{ x | raw }}` puts the value into the shell program as text.",
        matters: "Whoever chooses the value writes a part of the program: a parameter `x; rm -rf /` runs `rm`.",
        mend: "Leave `| raw` out: the value then arrives as data, in any quotes. Use `| sh` for a value inside a nested \
               shell, like `ssh host '…'`. Keep `raw` only where the value is meant to be shell and nobody else sets it.",
        example: Some(Example {
            wrong: r#"params: [mount]
steps:
  - command: df -h {{ mount | raw }}
"#,
            mended: r#"params: [mount]
steps:
  - command: df -h {{ mount }}
"#,
        }),
    },
    Entry {
        code: Code::QuotedHeredoc,
        means: "A template stands in a heredoc whose delimiter is quoted (`<<'EOF'`).",
        matters: "In such a heredoc the shell replaces nothing, so the value cannot arrive there as data.",
        mend: "Take the quotes off the delimiter, or hand the value over through `env` or `stdin`.",
        example: Some(Example {
            wrong: r#"params: [motd]
steps:
  - command: |
      cat > /etc/motd <<'EOF'
      {{ motd }}
      EOF
"#,
            mended: r#"params: [motd]
steps:
  - command: |
      cat > /etc/motd <<EOF
      {{ motd }}
      EOF
"#,
        }),
    },
    Entry {
        code: Code::ConstantCondition,
        means: "A condition names nothing that could change: it is always true, always false, or always fails. Or a \
                parameter is compared with something it can never be: a `choice` with what is none of its options, a \
                `boolean` with a text, a number with a text that is none; or an answer with what is no option's value, a \
                step's status with what is no status, `last.success` with a text. Or something is compared with itself, or stands \
                beside `|| true` or `&& false`.",
        matters: "The step always runs, or never does. Often a name lost its prefix, a comparison its other side, or an \
                  option was renamed.",
        mend: "Compare with a parameter, state, or a step's result, and with a value that it can have; a `boolean` is \
               a condition by itself. Or leave the condition out.",
        example: Some(Example {
            wrong: r#"params: [limit]
steps:
  - command: rm -rf /tmp/cache
    condition: 90 > 80
"#,
            mended: r#"params: [limit]
steps:
  - command: rm -rf /tmp/cache
    condition: params.limit > 80
"#,
        }),
    },
    Entry {
        code: Code::Unreachable,
        means: "No jump leads to this step, and the steps before it always go elsewhere.",
        matters: "It never runs. Usually a `goto` is missing, or the step was left over.",
        mend: "Lead to it, move it, or remove it.",
        example: Some(Example {
            wrong: r#"steps:
  - {id: check, command: df -h, goto: end}
  - {id: report, command: uptime}
"#,
            mended: r#"steps:
  - {id: check, command: df -h, goto: report}
  - {id: report, command: uptime}
"#,
        }),
    },
    Entry {
        code: Code::MixedRoutes,
        means: "Some options of a prompt say where they lead, others do not.",
        matters: "An answer without a route goes where the step's own `goto` leads, and without one on with the next \
                  step. Behind a prompt that stands before its \
                  branches, that is the first branch, which is seldom meant.",
        mend: "Give every option a route; `end` is one.",
        example: Some(Example {
            wrong: r#"steps:
  - id: ask
    message: Clean up?
    options: [Clean, Leave it]
    routes: {Clean: clean}
  - id: clean
    command: rm -rf /tmp/cache
"#,
            mended: r#"steps:
  - id: ask
    message: Clean up?
    options: [Clean, Leave it]
    routes: {Clean: clean, Leave it: end}
  - id: clean
    command: rm -rf /tmp/cache
"#,
        }),
    },
    Entry {
        code: Code::UnknownName,
        means: "A name is no parameter, and no step of the document sets it.",
        matters: "It is missing when it is read: a condition is false, and a template fails its step.",
        mend: "Correct the name, declare the parameter, or set the value in a `set` or `parse` step before.",
        example: Some(Example {
            wrong: r#"params: [mount]
steps:
  - command: df -h {{ muont }}
"#,
            mended: r#"params: [mount]
steps:
  - command: df -h {{ mount }}
"#,
        }),
    },
    Entry {
        code: Code::NestedShell,
        means: "A value stands in text that a second shell will read: behind `sh -c`, `ssh`, `eval` and the like, or in the \
                `stdin` of a shell or of a script that calculates with what it reads.",
        matters: "The first shell hands the value over as data, but the second one reads it as program again.",
        mend: "Write `{{ x | sh }}`, bare in the second shell's script: the value quoted once for it. Inside that script's own \
                quotes it is refused (E014). Or give the value as an argument or in the environment: \
                `sh -c 'grep -r \"$1\" /srv' sh {{ x }}`.",
        example: Some(Example {
            wrong: r#"params: [mount]
steps:
  - command: ssh db-01 "df -h {{ mount }}"
"#,
            mended: r#"params: [mount]
steps:
  - command: ssh db-01 "df -h {{ mount | sh }}"
"#,
        }),
    },
    Entry {
        code: Code::Unclosed,
        means: "A quote, bracket or heredoc of a script is opened and never closed.",
        matters: "The shell will refuse the script or read on to its end, and what is quoted around a template is not \
                  what it looks like.",
        mend: "Close it. A heredoc ends with its delimiter alone on a line.",
        example: Some(Example {
            wrong: r#"params: [mount]
steps:
  - command: echo "looking at {{ mount }}
"#,
            mended: r#"params: [mount]
steps:
  - command: echo "looking at {{ mount }}"
"#,
        }),
    },
    Entry {
        code: Code::UnknownTarget,
        means: "A step's targets name a worker, a pattern or labels that match no worker the server knows. Only a server \
                gives this warning: `pulse check` knows no workers.",
        matters: "The step would find nobody to run on, and fail.",
        mend: "Correct the name (`pulse worker ls` lists the workers and their labels), or start the worker. Targets that \
               are templates are known only when the step starts.",
        example: None,
    },
    Entry {
        code: Code::MayBeMissing,
        means: "A template writes a parameter that need not be given and has no default, and nothing looks at it before.",
        matters: "Without a value there is nothing to write: the step fails each time the parameter is left out.",
        mend: "Say what stands in its place (`{{ comment ?? 'none' }}`, or a `default`), or give the step a `condition` \
               that asks for the parameter: `params.comment != ()`.",
        example: Some(Example {
            wrong: r#"params:
  - {name: comment, required: false}
steps:
  - command: logger {{ comment }}
"#,
            mended: r#"params:
  - {name: comment, required: false}
steps:
  - command: logger {{ comment ?? "no comment" }}
"#,
        }),
    },
    Entry {
        code: Code::Undecided,
        means: "What decides here is a text, a number, a list or a map: the whole condition, or a side of `||`, `&&`, \
                `!` or `c ? a : b`.",
        matters: "A condition is true or false, and nothing else counts as either. Where there is a value, the step \
                  fails; where there is none, the condition is false.",
        mend: "Compare it (`len(state.lines) > 0`, `last.exit_code == 0`), ask whether anything is there \
               (`!is_empty(state.name)`), give each side of `||` its own comparison, and write `a ?? b` for a value \
               in place of one that is missing.",
        example: Some(Example {
            wrong: r#"params: [mode]
steps:
  - command: rm -rf /tmp/cache
    condition: params.mode == "auto" || "ask"
"#,
            mended: r#"params: [mode]
steps:
  - command: rm -rf /tmp/cache
    condition: params.mode == "auto" || params.mode == "ask"
"#,
        }),
    },
    Entry {
        code: Code::NotYet,
        means: "A value, a step's outcome, the last command or the last answer is read where no way can have come by \
                anything that gives it: the step that sets it stands behind, in another phase, or on another way.",
        matters: "It is missing when it is read: a condition is false, and a template fails its step.",
        mend: "Move the step that reads it behind the one that sets it, or lead there first. Where both ways are meant, \
               say what counts when it is missing: `state.x ?? 0`.",
        example: Some(Example {
            wrong: r#"steps:
  - command: logger 'the kernel is {{ kernel }}'
    targets: any
  - command: echo "KERNEL=$(uname -r)"
    targets: any
    parse: {format: regex, pattern: 'KERNEL=(?<kernel>.*)'}
"#,
            mended: r#"steps:
  - command: echo "KERNEL=$(uname -r)"
    targets: any
    parse: {format: regex, pattern: 'KERNEL=(?<kernel>.*)'}
  - command: logger 'the kernel is {{ kernel }}'
    targets: any
"#,
        }),
    },
    Entry {
        code: Code::RepeatsAtOnce,
        means: "An `execute` step's `on_error` names the step itself, or its `goto` does and nothing but its failure ends \
                it.",
        matters: "It runs again without a pause, on all of its targets, until `max_steps` ends the execution.",
        mend: "Use `retries` with `retry_delay` for another try after a failure. For a loop let a route decide whether to \
               go round, and put a `wait` into it.",
        example: Some(Example {
            wrong: r#"steps:
  - id: check
    command: curl -fs http://localhost/health
    on_error: check
"#,
            mended: r#"steps:
  - id: check
    command: curl -fs http://localhost/health
    retries: 100
    retry_delay: 10s
"#,
        }),
    },
    Entry {
        code: Code::NameNoTemplate,
        means: "The `name` of a step, a branch or the workflow holds `{{ … }}`.",
        matters: "A name is shown as it stands, with the braces: nothing is filled in.",
        mend: "Say in the name what is always so. What a run was started with is shown with it; messages, labels and \
               commands are templates.",
        example: Some(Example {
            wrong: r#"params: [service]
steps:
  - name: Check {{ service }}
    command: systemctl is-active {{ service }}
"#,
            mended: r#"params: [service]
steps:
  - name: Check the service
    command: systemctl is-active {{ service }}
"#,
        }),
    },
];
