//! Who is asking, and what they may do. Secrets are compared and stored as hashes only.

mod guard;
mod networks;
mod one_time;
mod proxy;
mod secret;

pub use guard::{Access, BY_PROXY, Caller, Credential, Denied, MADE};
pub use networks::TrustedProxies;
pub use one_time::OneTimeCodes;
pub use proxy::{BadHeaders, ProxySettings, ProxySignIn, check_group};
pub use secret::{Secret, hash};
