//! Servers that cannot be used: one line that says why, and never a password.

use crate::{OPTIONS, on_both};
use pulse_store::conformance::databases::{FreshDatabase, Server};
use pulse_store::{Error, open};

on_both! {
    says_why_it_cannot_be_opened
}

async fn refusal(url: &str) -> String {
    let error = open(url, OPTIONS).await.err().expect("it was opened");
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    let line = error.to_string();
    assert!(!line.contains('\n') && !line.contains("s3cret"), "{line}");
    line
}

async fn says_why_it_cannot_be_opened(server: Server) {
    let database = FreshDatabase::create(server).await;
    let url = database.url();
    let (scheme, rest) = url.split_once("://").unwrap();
    let (_, place) = rest.rsplit_once('@').unwrap();
    let address = place.split('/').next().unwrap();

    let line = refusal(&format!("{}/no_such_{}", server.url(), database.name())).await;
    assert!(line.contains("no_such_") && line.contains("CREATE DATABASE"), "{line}");
    let line = refusal(&format!("{scheme}://pulse_nobody:s3cret@{place}")).await;
    assert!(line.contains(address) && line.contains("the user or the password"), "{line}");
    // Nobody listens at port 1.
    let line = refusal(&format!("{scheme}://root:s3cret@127.0.0.1:1/pulse")).await;
    assert!(line.contains("127.0.0.1:1/pulse") && line.contains("cannot be reached"), "{line}");
    let line = refusal(&format!("{scheme}://root:s3cret@host.invalid/pulse")).await;
    assert!(line.contains("host.invalid") && line.contains("cannot be reached"), "{line}");
    for url in [format!("{scheme}://root:s3cret@127.0.0.1"), format!("{scheme}://root:s3cret@[x/pulse")] {
        let line = refusal(&url).await;
        assert!(line.contains("PULSE_DATABASE_URL"), "{line}");
    }
}
