//! The types of steps and what stands inside them, as tables of fields.

use super::shape::{NAME, Shape};
use super::{Field, Kind, field};

const GOTO: &str = "Where to go on: a step id of the same list, end, or fail.";

/// Fields of every step.
const COMMON: &[Field] = &[
    field(
        "id",
        Shape::Pattern("^[A-Za-z_][A-Za-z0-9_-]*$"),
        "What jumps and expressions call it; unique in the document. Default: step-N.",
    ),
    field("name", Shape::Text, "Shown to people. Default: the id."),
    field("condition", Shape::Text, "An expression. When false, the step is skipped and the skip is logged."),
    field(
        "goto",
        Shape::Text,
        "Where to go after success: a step id of the same list, end, or fail. Default: the next step.",
    ),
    field("on_error", Shape::Text, "After a failure: fail (default), continue, or a step id of the same list."),
];

/// Of steps that may take time and have no time limit of another meaning.
const WHOLE: &[Field] = &[field(
    "timeout",
    Shape::Duration,
    "How long it may take, 1s to 365d; then what it runs is given up and it fails. Default: no limit.",
)];

/// Of steps that end at once.
const AT_ONCE: &[Field] = &[field("timeout", Shape::Duration, "Of no effect: the step ends at once.")];

const FORMAT: &[Field] = &[
    field(
        "format",
        Shape::Words(&["kv", "json", "lines", "regex"]),
        "kv reads KEY=value lines (default), json one object, lines all lines, regex a pattern's named groups.",
    ),
    field("as", Shape::Pattern(NAME), "The name for the lines. For format: lines."),
    field("pattern", Shape::Text, "A regular expression with named groups (?<name>…). For format: regex."),
];

const RETRY: &[Field] = &[
    field("retries", Shape::Integer(0, 100), "How often a failed command is tried again. Default: 0."),
    field("retry_delay", Shape::Duration, "Before the first retry. Default: 2s."),
    field("retryDelayMs", Shape::Integer(0, 86_400_000), "The same in milliseconds, as the first PULSE wrote it."),
    field("backoff", Shape::Words(&["fixed", "exponential"]), "How the delay grows. Default: fixed."),
    field("max_delay", Shape::Duration, "What the delay grows to at most. Default: 5m."),
    field("jitter", Shape::Boolean, "Whether the delay is drawn between half and whole. Default: false."),
    field("retry_on", Shape::ExitCodes, "Exit codes that are worth a retry. Default: all."),
];

/// A type of step: its words for `type`, and what else it has.
macro_rules! step {
    ($name:literal, $words:expr, $description:literal, [$($fields:expr),*], $required:expr, $one_of:expr) => {
        Kind {
            name: $name,
            description: $description,
            fields: &[
                COMMON,
                &[field("type", Shape::Words(&$words), "What the step does. May be left out where the fields say it.")],
                $($fields),*
            ],
            required: &$required,
            one_of: &$one_of,
        }
    };
}

pub(super) const KINDS: &[Kind] = &[
    step!(
        "step-execute",
        ["execute", "command", "run"],
        "Runs a command on workers.",
        [
            &[
                field(
                    "command",
                    Shape::Text,
                    "A shell line or script. Templated: values arrive as data, never as code."
                ),
                field("run", Shape::Text, "The same as command."),
                field("argv", Shape::Texts, "A program and its arguments, without a shell. Templated per element."),
                field(
                    "targets",
                    Shape::Texts,
                    "On which workers: all, any, a name or id, a pattern like web-*, or labels like role=db. Templated.",
                ),
                field("env", Shape::TextMap, "Environment variables, on top of the document's. Templated."),
                field("cwd", Shape::Text, "Working directory. Templated."),
                field("shell", Shape::Text, "Runs the script, as SHELL -c. Default: /bin/sh."),
                field("stdin", Shape::Text, "Standard input. Templated."),
                field("success_codes", Shape::ExitCodes, "Exit codes that count as success. Default: 0."),
                field("timeout", Shape::Duration, "Of one attempt, 1s to 24h. Default: 5m."),
                field("strategy", Shape::Is("strategy"), "How many targets at once, and when the roll-out stops."),
                field(
                    "on_offline",
                    Shape::Words(&["skip", "fail", "wait"]),
                    "What happens to targets that are not online: left out and logged (default), the step fails, or it \
                     waits for them.",
                ),
                field("wait_for", Shape::Duration, "How long on_offline: wait waits."),
                field(
                    "on_lost",
                    Shape::Words(&["fail", "retry"]),
                    "What a command counts as whose worker died while it ran. Default: fail, because nobody knows \
                     whether it took effect.",
                ),
                field(
                    "parse",
                    Shape::Either(&[Shape::Words(&["kv", "json", "lines"]), Shape::Is("parse-format")]),
                    "Short for a parse step behind it.",
                ),
            ],
            RETRY
        ],
        [],
        ["command", "run", "argv"]
    ),
    step!(
        "step-parse",
        ["parse"],
        "Reads a command's standard output into state.",
        [AT_ONCE, &[field("from", Shape::Text, "The step whose output is read. Default: the last command.")], FORMAT],
        [],
        ["type", "format", "from"]
    ),
    step!(
        "step-route",
        ["route"],
        "Takes the first condition that holds.",
        [AT_ONCE, &[field("conditions", Shape::Many("condition"), "In order; the first that holds is taken.")]],
        ["conditions"],
        []
    ),
    step!(
        "step-prompt",
        ["prompt"],
        "Waits for a person's answer.",
        [&[
            field("message", Shape::Text, "The question. Templated."),
            field("options", Shape::Many("option"), "What may be answered. Default: Continue."),
            field("routes", Shape::TextMap, "Where each option leads: a step id of the same list, end, or fail."),
            field("fields", Shape::Params, "Extra answers, declared like params; they go into state."),
            field("allow", Shape::Texts, "Groups that may answer. Default: every operator."),
            field("timeout", Shape::Duration, "How long it waits. Default: 60m."),
            field(
                "on_timeout",
                Shape::Text,
                "What happens then: fail (default), an option that counts as the answer, or a step id.",
            ),
        ]],
        ["message"],
        []
    ),
    step!(
        "step-wait",
        ["wait"],
        "Waits for time to pass. A restart does not start it over.",
        [
            WHOLE,
            &[
                field("duration", Shape::Duration, "For how long."),
                field("until", Shape::Text, "Until when: an expression that gives RFC 3339 text or epoch seconds."),
            ]
        ],
        [],
        ["duration", "until"]
    ),
    step!(
        "step-set",
        ["set"],
        "Sets values in state.",
        [AT_ONCE, &[field("values", Shape::TextMap, "Names, each with an expression.")]],
        ["values"],
        []
    ),
    step!(
        "step-parallel",
        ["parallel"],
        "Runs branches side by side and joins them.",
        [
            WHOLE,
            &[
                field(
                    "branches",
                    Shape::Either(&[Shape::Some("branch"), Shape::Is("branch-body")]),
                    "The branches: lists of steps, with a name where it helps.",
                ),
                field(
                    "fail_fast",
                    Shape::Boolean,
                    "Whether the first failure stops the other branches. Default: true."
                ),
            ]
        ],
        ["branches"],
        []
    ),
    step!(
        "step-foreach",
        ["foreach"],
        "Runs steps once for each item.",
        [
            WHOLE,
            &[
                field("items", Shape::Texts, "A list, or an expression that gives one."),
                field("as", Shape::Pattern(NAME), "What expressions call the item. Default: item."),
                field("parallel", Shape::Integer(1, 1_000), "How many items at once. Default: 1."),
                field("fail_fast", Shape::Boolean, "Whether the first failure stops the other items. Default: true."),
                field("steps", Shape::Some("step"), "What is run for each item."),
            ]
        ],
        ["items", "steps"],
        []
    ),
    step!(
        "step-workflow",
        ["workflow"],
        "Runs another workflow as a child execution.",
        [
            WHOLE,
            &[
                field("workflow", Shape::Text, "Its name, a template."),
                field(
                    "params",
                    Shape::TextMap,
                    "Its parameters, each a template; one that is a single placeholder keeps its value's type."
                ),
            ]
        ],
        ["workflow"],
        []
    ),
    Kind {
        name: "strategy",
        description: "The roll-out over several targets.",
        fields: &[&[
            field(
                "parallel",
                Shape::Either(&[
                    Shape::Integer(1, 4_294_967_295),
                    Shape::Words(&["all"]),
                    Shape::Pattern(r"^([1-9][0-9]?|100)\s*%$"),
                    Shape::Pattern("^[0-9]+$"),
                ]),
                "How many targets at once: a number, a share like 25%, or all (default).",
            ),
            field(
                "max_failures",
                Shape::Either(&[Shape::Integer(0, 4_294_967_295), Shape::Pattern(r"^[0-9]+\s*%?$")]),
                "After how many failed targets, or which share like 20%, no further one is started. Default: 0.",
            ),
        ]],
        required: &[],
        one_of: &[],
    },
    Kind {
        name: "parse-format",
        description: "How output is read into state.",
        fields: &[FORMAT],
        required: &[],
        one_of: &[],
    },
    Kind {
        name: "condition",
        description: "One way of a route.",
        fields: &[&[
            field("if", Shape::Text, "An expression: when it is taken."),
            field("condition", Shape::Text, "The same as if."),
            field("default", Shape::Boolean, "true: taken when nothing before it holds. It stands last."),
            field("goto", Shape::Text, GOTO),
            field("label", Shape::Text, "What it is called in the log and the graph. Templated."),
        ]],
        required: &["goto"],
        one_of: &["if", "condition", "default"],
    },
    Kind {
        name: "option-body",
        description: "One answer to a prompt.",
        fields: &[&[
            field("label", Shape::Text, "Shown on the button. Templated."),
            field("value", Shape::Text, "What the answer counts as. Default: the label."),
            field("goto", Shape::Text, GOTO),
            field("style", Shape::Words(&["danger", "normal"]), "How the button looks. Default: normal."),
        ]],
        required: &["label"],
        one_of: &[],
    },
    Kind {
        name: "branch-body",
        description: "One branch of a parallel step.",
        fields: &[&[
            field("name", Shape::Text, "What it is called."),
            field("steps", Shape::Some("step"), "Its steps, in order."),
        ]],
        required: &["steps"],
        one_of: &[],
    },
];
