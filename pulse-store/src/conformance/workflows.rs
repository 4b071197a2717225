//! Workflows and their versions.

use super::fixtures::NOW;
use crate::{Error, SaveWorkflow, Store, WorkflowRecord};
use pulse_core::ids::WorkflowId;
use pulse_core::time::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

fn save(id: WorkflowId, name: &str, by: &str, at: Timestamp) -> SaveWorkflow {
    SaveWorkflow {
        id,
        name: name.to_owned(),
        description: format!("What {name} is for"),
        tags: vec!["ops".to_owned(), "größe 🦀".to_owned()],
        definition: format!("steps: # {name} by {by}\n"),
        webhook: None,
        by: by.to_owned(),
        at,
        expected: None,
    }
}

fn new_id() -> WorkflowId {
    WorkflowId(Uuid::now_v7())
}

async fn create(store: &dyn Store, name: &str) -> WorkflowRecord {
    store.save_workflow(save(new_id(), name, "ada", NOW)).await.unwrap()
}

/// Each save is kept, with who and when.
pub async fn every_save_is_a_version(store: Arc<dyn Store>) {
    let id = new_id();
    let later = NOW.plus(Duration::from_millis(1));
    let first = store.save_workflow(save(id, "Deploy", "ada", NOW)).await.unwrap();
    assert_eq!((first.version, first.created_by.as_str(), first.created_at), (1, "ada", NOW));
    let change = SaveWorkflow { webhook: Some("https://x.example".to_owned()), ..save(id, "Deploy!", "bob", later) };
    let second = store.save_workflow(change).await.unwrap();
    let expected = WorkflowRecord {
        id,
        name: "Deploy!".to_owned(),
        description: "What Deploy! is for".to_owned(),
        tags: vec!["ops".to_owned(), "größe 🦀".to_owned()],
        definition: "steps: # Deploy! by bob\n".to_owned(),
        webhook: Some("https://x.example".to_owned()),
        version: 2,
        created_by: "ada".to_owned(),
        created_at: NOW,
        updated_by: "bob".to_owned(),
        updated_at: later,
    };
    assert_eq!(second, expected);
    assert_eq!(store.workflow(id).await.unwrap(), Some(second.clone()));
    assert_eq!(store.workflow_by_name("dEPLOY!").await.unwrap(), Some(second.clone()));
    assert_eq!(store.workflow_by_name("deploy").await.unwrap(), None, "the old name leads nowhere");
    assert_eq!(store.workflow_version(id, 1).await.unwrap(), Some(first));
    assert_eq!(store.workflow_version(id, 2).await.unwrap(), Some(second));
    assert_eq!(store.workflow_version(id, 3).await.unwrap(), None);
    assert_eq!(store.workflow_version(new_id(), 1).await.unwrap(), None);
    let versions = store.workflow_versions(id).await.unwrap();
    let versions: Vec<_> = versions.iter().map(|v| (v.version, v.saved_by.as_str(), v.saved_at)).collect();
    assert_eq!(versions, [(2, "bob", later), (1, "ada", NOW)]);
}

/// A change says what it was made from.
pub async fn refuses_a_change_of_an_old_version(store: Arc<dyn Store>) {
    let id = create(&*store, "a").await.id;
    let change = |expected| SaveWorkflow { expected: Some(expected), ..save(id, "a", "bob", NOW) };
    assert_eq!(store.save_workflow(change(1)).await.unwrap().version, 2);
    assert_eq!(store.save_workflow(change(1)).await, Err(Error::VersionConflict { current: 2 }));
    assert_eq!(store.save_workflow(change(3)).await, Err(Error::VersionConflict { current: 2 }));
    assert_eq!(store.workflow_versions(id).await.unwrap().len(), 2);
    let nothing = SaveWorkflow { expected: Some(1), ..save(new_id(), "b", "bob", NOW) };
    assert_eq!(store.save_workflow(nothing).await, Err(Error::VersionConflict { current: 0 }));
}

/// Ignoring case, but not accents and spaces.
pub async fn names_are_unique(store: Arc<dyn Store>) {
    let id = create(&*store, "Größe").await.id;
    for taken in ["Größe", "GRÖßE", "größe"] {
        let error = store.save_workflow(save(new_id(), taken, "bob", NOW)).await.unwrap_err();
        assert_eq!(error, Error::NameTaken { name: taken.to_owned() });
    }
    let other = create(&*store, "Große").await;
    create(&*store, "größe ").await;
    let error = store.save_workflow(save(other.id, "GRÖßE", "bob", NOW)).await.unwrap_err();
    assert_eq!(error, Error::NameTaken { name: "GRÖßE".to_owned() });
    assert_eq!(store.save_workflow(save(id, "GRÖßE", "bob", NOW)).await.unwrap().version, 2, "its own name is its own");
}

/// Deleted: the name is free, the versions stay.
pub async fn a_deleted_name_is_free(store: Arc<dyn Store>) {
    let first = create(&*store, "a").await;
    assert_eq!(store.delete_workflow(first.id).await, Ok(true));
    assert_eq!(store.delete_workflow(first.id).await, Ok(false));
    assert_eq!(store.delete_workflow(new_id()).await, Ok(false));
    assert_eq!(store.workflow(first.id).await.unwrap(), None);
    assert_eq!(store.workflow_by_name("a").await.unwrap(), None);
    assert_eq!(store.workflows(None, None, 10).await.unwrap(), []);
    assert_eq!(store.workflow_version(first.id, 1).await.unwrap(), Some(first.clone()));
    assert_eq!(store.workflow_versions(first.id).await.unwrap().len(), 1);

    let second = create(&*store, "A").await;
    assert_eq!(second.version, 1);
    assert_eq!(store.workflow_by_name("a").await.unwrap(), Some(second));
    assert_eq!(store.workflow_version(first.id, 1).await.unwrap(), Some(first));
}

/// A save under a deleted id goes on with its versions.
pub async fn a_deleted_workflow_comes_back(store: Arc<dyn Store>) {
    let first = create(&*store, "a").await;
    store.delete_workflow(first.id).await.unwrap();
    let back = store.save_workflow(save(first.id, "a", "bob", NOW)).await.unwrap();
    assert_eq!((back.version, back.created_by.as_str()), (2, "ada"));
    assert_eq!(store.workflow(first.id).await.unwrap(), Some(back));
    assert_eq!(store.workflow_version(first.id, 1).await.unwrap(), Some(first));
}

/// In pages, ignoring case.
pub async fn lists_by_name(store: Arc<dyn Store>) {
    for name in ["delta", "Beta", "alpha", "Zeta", "ähre", "BETA 2"] {
        create(&*store, name).await;
    }
    let names = |page: Vec<WorkflowRecord>| page.into_iter().map(|workflow| workflow.name).collect::<Vec<_>>();
    let all = ["alpha", "Beta", "BETA 2", "delta", "Zeta", "ähre"];
    assert_eq!(names(store.workflows(None, None, 10).await.unwrap()), all);
    assert_eq!(names(store.workflows(None, None, 2).await.unwrap()), all[..2]);
    assert_eq!(names(store.workflows(None, Some("BETA"), 2).await.unwrap()), all[2..4]);
    assert_eq!(names(store.workflows(None, Some("c"), 10).await.unwrap()), all[3..]);
    assert_eq!(names(store.workflows(None, Some("ähre"), 10).await.unwrap()), [""; 0]);
}

/// In name, description and tags, ignoring case. Nothing in it is a pattern.
pub async fn finds_by_text(store: Arc<dyn Store>) {
    let change = |name: &str, description: &str, tags: &[&str]| SaveWorkflow {
        description: description.to_owned(),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        ..save(new_id(), name, "ada", NOW)
    };
    store.save_workflow(change("Backup", "copies 100%", &["nightly"])).await.unwrap();
    store.save_workflow(change("Deploy", "rolls out", &["Größe", "web_1"])).await.unwrap();
    for (text, expected) in [
        ("BACK", vec!["Backup"]),
        ("100%", vec!["Backup"]),
        ("0_%", vec![]),
        ("GRÖßE", vec!["Deploy"]),
        ("web_1", vec!["Deploy"]),
        ("o", vec!["Backup", "Deploy"]),
        ("steps", vec![]),
    ] {
        let found = store.workflows(Some(text), None, 10).await.unwrap();
        assert_eq!(found.iter().map(|workflow| workflow.name.as_str()).collect::<Vec<_>>(), expected, "{text}");
    }
    assert_eq!(store.workflows(Some("o"), Some("backup"), 10).await.unwrap().len(), 1);
}

/// Up to 255 characters, whatever they are.
pub async fn long_names_are_refused(store: Arc<dyn Store>) {
    let longest = "Ä🦀".repeat(127) + "é";
    let kept = store.save_workflow(save(new_id(), &longest, &longest, NOW)).await.unwrap();
    assert_eq!(store.workflow_by_name(&longest.to_uppercase()).await.unwrap(), Some(kept));
    let error = store.save_workflow(save(new_id(), &(longest + "x"), "bob", NOW)).await.unwrap_err();
    assert_eq!(error, Error::TooLong { what: "workflow's name" });
}
