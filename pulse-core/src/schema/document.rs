//! The document and what is declared in it, as tables of fields.

use super::shape::{NAME, Shape};
use super::{Field, Kind, ROOT, field};

/// What a parameter and a field of a prompt say about themselves, besides their name.
const DECLARATION: &[Field] = &[
    field(
        "type",
        Shape::Words(&["string", "integer", "number", "boolean", "choice", "secret"]),
        "What values it takes. Default: string. A secret is never stored or shown in clear.",
    ),
    field("description", Shape::Text, "Shown to the person who gives the value."),
    field("default", Shape::Text, "Used when nothing is given. It must satisfy the other fields."),
    field("required", Shape::Boolean, "Whether a value must be given. Default: true when there is no default."),
    field("pattern", Shape::Text, "A regular expression that the text must match. For string and secret."),
    field("min", Shape::Number, "The smallest number. For integer and number."),
    field("max", Shape::Number, "The largest number. For integer and number."),
    field("options", Shape::Texts, "What a choice offers. Required for choice, and only there."),
];

pub(super) const KINDS: &[Kind] = &[
    Kind {
        name: ROOT,
        description: "A workflow: steps that run on workers, ask people, and decide.",
        fields: &[&[
            field(
                "name",
                Shape::Pattern("^.{1,120}$"),
                "What it is called, 1 to 120 characters, unique ignoring case. Required when stored.",
            ),
            field("description", Shape::Text, "What it is for."),
            field("tags", Shape::Texts, "Words to find it by."),
            field("params", Shape::Params, "What is given when it is started."),
            field(
                "targets",
                Shape::Texts,
                "Workers of every execute step that names none: all, any, a name or id, a pattern like web-*, or \
                 labels like role=db. Templated.",
            ),
            field("defaults", Shape::Is("defaults"), "Values for steps that do not say otherwise."),
            field("env", Shape::TextMap, "Environment variables of every command. Templated."),
            field("timeout", Shape::Duration, "How long a whole execution may take. Default: no limit."),
            field("concurrency", Shape::Is("concurrency"), "How many executions of this workflow run at once."),
            field("webhook", Shape::Text, "An address that is told when an execution ends or waits for input."),
            field(
                "lenient_conditions",
                Shape::Boolean,
                "Whether a condition that fails at run time counts as false, as in the first PULSE, instead of failing \
                 its step. Default: false.",
            ),
            field(
                "max_steps",
                Shape::Integer(1, 1_000_000),
                "How many steps may start in one execution. Default: 10000.",
            ),
            field("steps", Shape::Some("step"), "The steps, in order."),
            field("on_failure", Shape::List("step"), "Steps that run once when the main steps failed or were aborted."),
            field("finally", Shape::List("step"), "Steps that always run, last."),
        ]],
        required: &["steps"],
        one_of: &[],
    },
    Kind {
        name: "defaults",
        description: "Values for steps that do not say otherwise.",
        fields: &[&[
            field("timeout", Shape::Duration, "Of one attempt, 1s to 24h. Default: 5m."),
            field("retries", Shape::Integer(0, 100), "How often a failed command is tried again. Default: 0."),
            field("shell", Shape::Text, "Scripts run as SHELL -c. Default: /bin/sh."),
        ]],
        required: &[],
        one_of: &[],
    },
    Kind {
        name: "concurrency",
        description: "How many executions of this workflow run at once.",
        fields: &[&[
            field("limit", Shape::Integer(1, 10_000), "How many."),
            field(
                "policy",
                Shape::Words(&["queue", "skip", "cancel_oldest"]),
                "What happens to one more: it waits, is not started, or the oldest is aborted for it. Default: queue.",
            ),
        ]],
        required: &["limit"],
        one_of: &[],
    },
    Kind {
        name: "param",
        description: "A parameter, or a field of a prompt.",
        fields: &[
            &[field("name", Shape::Pattern(NAME), "What it is called: letters, digits and _, no digit first.")],
            DECLARATION,
        ],
        required: &["name"],
        one_of: &[],
    },
    Kind {
        name: "param-body",
        description: "A parameter, or a field of a prompt, declared under its name.",
        fields: &[DECLARATION],
        required: &[],
        one_of: &[],
    },
];
