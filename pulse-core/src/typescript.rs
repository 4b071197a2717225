//! Writes the API's types for the web application, and fails when the file there is not what the Rust types say.
//! `PULSE_UPDATE=1 cargo test -p pulse-core typescript` rewrites it.

use ts_rs::{Config, TS};

macro_rules! declarations {
    ($config:expr, $($type:ty),* $(,)?) => {
        vec![$(<$type as TS>::decl($config)),*]
    };
}

#[test]
fn web_types_are_current() {
    use crate::{
        api::*, command::*, diagnostic::*, event::*, ids::*, protocol::browser::*, status::*, time::*, workflow::*,
    };
    let config = Config::default();
    let declarations = declarations!(
        &config,
        ExecutionId,
        CommandId,
        WorkerId,
        WorkflowId,
        PromptId,
        TokenId,
        DeliveryId,
        Seq,
        Attempt,
        FrameId,
        StepId,
        Timestamp,
        ExecutionStatus,
        StepStatus,
        CommandStatus,
        Delivery,
        WebhookEvent,
        WebhookStatus,
        WorkerStatus,
        Role,
        Trigger,
        Severity,
        Stream,
        Outcome,
        Diagnostic,
        CommandSpec,
        SecretUse,
        CommandEnd,
        ParamType,
        Param,
        ParentRef,
        StepRef,
        WorkflowRef,
        WorkerRef,
        OpenOption,
        Next,
        Event,
        Entry,
        Problem,
        Me,
        SessionRequest,
        NewToken,
        TokenView,
        TokenCreated,
        OutputChunk,
        DeliveryView,
        WebhookKey,
        WorkerView,
        WorkflowSummary,
        WorkflowVersionView,
        WorkflowView,
        WorkflowPut,
        CheckRequest,
        CheckResult,
        WorkflowGraph,
        GraphNode,
        GraphList,
        GraphEdge,
        GraphWay,
        ExecuteRequest,
        CommandRequest,
        Created,
        RespondRequest,
        AbortRequest,
        ExecutionSummary,
        ExecutionView,
        ParentView,
        ChildView,
        PromptView,
        StepView,
        CommandView,
        FromBrowser,
        ToBrowser,
        Page<()>,
    );
    let mut text = "// Generated from the Rust types of pulse-core; do not edit.\n\
                    // PULSE_UPDATE=1 cargo test -p pulse-core typescript\n\n"
        .to_owned();
    for declaration in declarations {
        text.push_str(&format!("export {declaration}\n\n"));
    }
    let text = format!("{}\n", text.trim_end());
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../web/src/api/generated.ts");
    #[expect(clippy::disallowed_methods, reason = "a test that keeps a file of the repository current")]
    let (update, current) = (std::env::var("PULSE_UPDATE").is_ok(), std::fs::read_to_string(path).unwrap_or_default());
    if update {
        #[expect(clippy::disallowed_methods, reason = "a test that keeps a file of the repository current")]
        std::fs::write(path, &text).unwrap();
    } else {
        assert!(
            current == text,
            "web/src/api/generated.ts is not current: PULSE_UPDATE=1 cargo test -p pulse-core typescript"
        );
    }
}
