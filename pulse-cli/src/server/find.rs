//! Finding the server: flags, then the environment, `.env`, `./pulse-data/client.json`, and the file of `pulse login`.

use super::{Address, Secret, Stored};
use crate::cli::Globals;
use crate::environment::Environment;
use crate::error::Error;
use std::path::Path;

/// A server and how to sign in to it.
#[derive(Clone, Debug)]
pub struct Server {
    /// Its address.
    pub address: Address,
    /// The token; without one the server will refuse nearly everything.
    pub token: Option<Secret>,
}

/// Where an address came from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// From the person: a flag, the environment, their own settings.
    Person,
    /// From a file of the current directory, which may be anybody's.
    Directory(&'static str),
}

/// The server that is meant.
///
/// # Errors
/// When none is named, a file or address makes no sense, or a token would go where it should not.
pub fn find(globals: &Globals, environment: &Environment) -> Result<Server, Error> {
    let dotenv = read_dotenv(&environment.directory.join(".env"))?;
    let data = match environment.get("PULSE_DATA") {
        Some(_) => Origin::Person,
        None => Origin::Directory("./pulse-data/client.json"),
    };
    let stored = [
        (Stored::read(&environment.data_directory())?, data),
        (
            environment.config_directory().map(|directory| Stored::read(&directory)).transpose()?.flatten(),
            Origin::Person,
        ),
    ];
    let named = [
        (globals.server.as_deref(), Origin::Person),
        (environment.get("PULSE_SERVER"), Origin::Person),
        (dotenv.server.as_deref(), Origin::Directory("./.env")),
    ];
    let filed = stored.iter().map(|(file, origin)| (file.as_ref().map(|file| file.url.as_str()), *origin));
    let (address, origin) =
        named.into_iter().chain(filed).find_map(|(url, origin)| url.map(|url| (url, origin))).ok_or(Error::NoServer)?;
    let address = Address::parse(address)?;

    let token = if let Some(token) = &globals.token {
        Some(Secret::new(token))
    } else if let Some(token) = environment.get("PULSE_TOKEN") {
        if let Origin::Directory(file) = origin
            && !address.is_loopback()
        {
            return Err(Error::input(format!("PULSE_TOKEN is not sent to {address}, which only {file} names"))
                .with_hint(format!("if it is meant: --server {address}")));
        }
        Some(Secret::new(token))
    } else if dotenv.token.is_some() {
        dotenv.token
    } else {
        let same = |file: &Stored| Address::parse(&file.url).is_ok_and(|url| url == address);
        stored.into_iter().filter_map(|(file, _)| file).find(same).map(|file| file.token)
    };
    Ok(Server { address, token })
}

/// The two variables of `.env` that matter here.
#[derive(Default)]
struct DotEnv {
    server: Option<String>,
    token: Option<Secret>,
}

/// Reads `.env`, if there is one. It never changes this process's own environment.
fn read_dotenv(path: &Path) -> Result<DotEnv, Error> {
    let mut found = DotEnv::default();
    // The parser's own message quotes the line, which may hold a secret.
    let bad = |reason: &str| Error::File { path: path.to_owned(), reason: reason.to_owned() };
    let lines = match dotenvy::from_path_iter(path) {
        Ok(lines) => lines,
        Err(error) if error.not_found() => return Ok(found),
        Err(dotenvy::Error::Io(error)) => return Err(bad(&error.to_string())),
        Err(_) => return Err(bad("it cannot be read")),
    };
    for (number, line) in lines.enumerate() {
        let (name, value) = match line {
            Ok(pair) => pair,
            Err(dotenvy::Error::Io(error)) => return Err(bad(&error.to_string())),
            Err(_) => return Err(bad(&format!("setting {} is not NAME=value", number + 1))),
        };
        match name.as_str() {
            _ if value.is_empty() => {}
            "PULSE_SERVER" => found.server = Some(value),
            "PULSE_TOKEN" => found.token = Some(Secret::new(&value)),
            _ => {}
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct World {
        directory: tempfile::TempDir,
    }

    impl World {
        fn new() -> Self {
            Self { directory: tempfile::tempdir().unwrap() }
        }

        fn store(&self, folder: &str, url: &str, token: &str) {
            let stored = Stored { url: url.into(), token: Secret::new(token) };
            stored.write(&self.directory.path().join(folder)).unwrap();
        }

        fn find(&self, flags: (&str, &str), variables: &[(&str, &str)]) -> Result<(String, Option<String>), Error> {
            let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            let globals = Globals { server: given(flags.0), token: given(flags.1) };
            let home = self.directory.path().join("home");
            let mut all = vec![("HOME", home.to_str().unwrap())];
            all.extend(variables);
            let found = find(&globals, &Environment::new(self.directory.path(), &all))?;
            Ok((found.address.to_string(), found.token.map(|token| token.reveal().to_owned())))
        }
    }

    fn pair(url: &str, token: Option<&str>) -> (String, Option<String>) {
        (url.to_owned(), token.map(str::to_owned))
    }

    #[test]
    fn the_nearest_wins() {
        let world = World::new();
        assert!(matches!(world.find(("", ""), &[]), Err(Error::NoServer)));
        world.store("home/.config/pulse", "http://login", "l");
        assert_eq!(world.find(("", ""), &[]).unwrap(), pair("http://login", Some("l")));
        world.store("pulse-data", "http://127.0.0.1:1", "d");
        assert_eq!(world.find(("", ""), &[]).unwrap(), pair("http://127.0.0.1:1", Some("d")));
        std::fs::write(world.directory.path().join(".env"), "PULSE_SERVER=http://dot\nPULSE_TOKEN=t\n").unwrap();
        assert_eq!(world.find(("", ""), &[]).unwrap(), pair("http://dot", Some("t")));
        let env = [("PULSE_SERVER", "http://env"), ("PULSE_TOKEN", "e")];
        assert_eq!(world.find(("", ""), &env).unwrap(), pair("http://env", Some("e")));
        assert_eq!(world.find(("http://flag", "f"), &env).unwrap(), pair("http://flag", Some("f")));
    }

    #[test]
    fn a_stored_token_stays_with_its_server() {
        let world = World::new();
        world.store("pulse-data", "http://127.0.0.1:1/", "d");
        world.store("home/.config/pulse", "http://login", "l");
        assert_eq!(world.find(("http://other", ""), &[]).unwrap(), pair("http://other", None));
        assert_eq!(world.find(("http://login/", ""), &[]).unwrap(), pair("http://login", Some("l")));
    }

    #[test]
    fn a_token_of_the_environment_does_not_follow_a_strange_directory() {
        let world = World::new();
        world.store("pulse-data", "http://evil", "d");
        let env = [("PULSE_TOKEN", "e")];
        let error = world.find(("", ""), &env).unwrap_err();
        assert_eq!(error.hint().unwrap(), "if it is meant: --server http://evil");
        world.store("pulse-data", "http://localhost:8080", "d");
        assert_eq!(world.find(("", ""), &env).unwrap(), pair("http://localhost:8080", Some("e")));
    }

    #[test]
    fn a_broken_dotenv_is_said_without_its_text() {
        let world = World::new();
        std::fs::write(world.directory.path().join(".env"), "PULSE_TOKEN='s3cret\n").unwrap();
        let error = world.find(("", ""), &[]).unwrap_err().to_string();
        assert!(error.contains(".env") && !error.contains("s3cret"), "{error}");
    }
}
