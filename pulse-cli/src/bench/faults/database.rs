//! A database server of the trial's own, so that it can be stopped and killed without disturbing anybody.

use super::Trouble;
use super::processes::free_port;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

/// Which database the server keeps its data in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// A file.
    #[default]
    Sqlite,
    /// A private MariaDB.
    Mariadb,
    /// A private PostgreSQL.
    Postgres,
}

/// How long a database may take to come up, or to stop.
const PATIENCE: Duration = Duration::from_secs(60);

/// A private database server. It is killed when dropped.
#[derive(Debug)]
pub struct Database {
    kind: Kind,
    directory: PathBuf,
    address: SocketAddr,
    child: Option<Child>,
}

impl Database {
    /// Makes an empty one below a directory and starts it.
    ///
    /// # Errors
    /// When its programs are not installed, or do not do what they should.
    pub async fn start(kind: Kind, below: &Path) -> Result<Self, Trouble> {
        let directory = below.join("database");
        let address = free_port().map_err(|error| Trouble::io("a port", &error))?;
        let mut database = Self { kind, directory, address, child: None };
        database.create().await?;
        database.up().await?;
        Ok(database)
    }

    /// What `PULSE_DATABASE_URL` has to be.
    pub fn url(&self) -> String {
        let port = self.address.port();
        match self.kind {
            Kind::Sqlite => String::new(),
            Kind::Mariadb => format!("mysql://root@127.0.0.1:{port}/pulse"),
            Kind::Postgres => format!("postgres://postgres@127.0.0.1:{port}/postgres"),
        }
    }

    /// Stops it (`hard`: by `kill -9`) and starts it again.
    ///
    /// # Errors
    /// When it does not come back.
    pub async fn restart(&mut self, hard: bool) -> Result<(), Trouble> {
        if let Some(mut child) = self.child.take() {
            if !hard {
                // INT is PostgreSQL's fast shutdown; TERM would wait for PULSE to go away.
                let signal = match self.kind {
                    Kind::Postgres => rustix::process::Signal::INT,
                    _ => rustix::process::Signal::TERM,
                };
                let pid = child.id().and_then(|pid| rustix::process::Pid::from_raw(i32::try_from(pid).unwrap_or(0)));
                if let Some(pid) = pid {
                    let _ = rustix::process::kill_process(pid, signal);
                }
                let _ = timeout(PATIENCE, child.wait()).await;
            }
            let _ = child.kill().await;
        }
        self.up().await
    }

    async fn create(&self) -> Result<(), Trouble> {
        std::fs::create_dir_all(&self.directory).map_err(|error| Trouble::io("the database's directory", &error))?;
        let data = self.directory.join("data");
        match self.kind {
            Kind::Sqlite => Ok(()),
            Kind::Mariadb => {
                let mut command = Command::new("mariadb-install-db");
                command
                    .arg("--no-defaults")
                    .arg(format!("--datadir={}", data.display()))
                    .args(["--auth-root-authentication-method=normal", "--skip-test-db"])
                    .args(as_root(&["--user=root"]));
                ran("mariadb-install-db", command).await
            }
            Kind::Postgres => {
                // PostgreSQL refuses to run as root.
                let mut owner = Command::new("chown");
                owner.arg("-R").arg("postgres").arg(&self.directory);
                if rustix::process::getuid().is_root() {
                    ran("chown", owner).await?;
                }
                let mut command = postgres_command("initdb")?;
                command.arg("-D").arg(&data).args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]);
                ran("initdb", command).await
            }
        }
    }

    /// The server itself.
    fn command(&self) -> Result<Option<Command>, Trouble> {
        let (data, port) = (self.directory.join("data"), self.address.port().to_string());
        Ok(Some(match self.kind {
            Kind::Sqlite => return Ok(None),
            Kind::Mariadb => {
                let mut command = Command::new("mariadbd");
                command
                    .arg("--no-defaults")
                    .arg(format!("--datadir={}", data.display()))
                    .arg(format!("--socket={}", self.directory.join("socket").display()))
                    .args(["--bind-address=127.0.0.1", "--max-allowed-packet=64M", "--skip-networking=0"])
                    .arg(format!("--port={port}"))
                    .args(as_root(&["--user=root"]));
                command
            }
            Kind::Postgres => {
                let mut command = postgres_command("postgres")?;
                command.arg("-D").arg(&data).args(["-h", "127.0.0.1", "-p", &port]);
                command.arg("-k").arg(&self.directory);
                command
            }
        }))
    }

    async fn up(&mut self) -> Result<(), Trouble> {
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(self.address).await.is_err() {
            if Instant::now() > deadline {
                return Err(Trouble::new("the database did not come up; its log is in database/log"));
            }
            // After `kill -9` PostgreSQL does not start again before the last of its former processes has noticed.
            let ended = self.child.as_mut().is_none_or(|child| !matches!(child.try_wait(), Ok(None)));
            if ended && !self.spawn()? {
                return Ok(());
            }
            sleep(Duration::from_millis(50)).await;
        }
        if self.kind == Kind::Mariadb {
            let mut command = Command::new("mariadb");
            command.args(["--no-defaults", "-h", "127.0.0.1", "-P", &self.address.port().to_string(), "-u", "root"]);
            command.args(["-e", "CREATE DATABASE IF NOT EXISTS pulse CHARACTER SET utf8mb4"]);
            ran("mariadb", command).await?;
        }
        // PostgreSQL listens before it has recovered, and refuses everybody until then.
        while self.kind == Kind::Postgres && !self.accepts_connections().await? {
            if Instant::now() > deadline {
                return Err(Trouble::new("the database did not recover; its log is in database/log"));
            }
            sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    async fn accepts_connections(&self) -> Result<bool, Trouble> {
        let mut command = postgres_command("pg_isready")?;
        command.args(["-q", "-h", "127.0.0.1", "-p", &self.address.port().to_string()]);
        let status = command.stdin(Stdio::null()).status().await;
        Ok(status.map_err(|error| Trouble::io("pg_isready", &error))?.success())
    }

    /// Starts its process, if it has one.
    fn spawn(&mut self) -> Result<bool, Trouble> {
        let Some(mut command) = self.command()? else { return Ok(false) };
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.directory.join("log"));
        let log = log.map_err(|error| Trouble::io("the database's log", &error))?;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).kill_on_drop(true).process_group(0);
        self.child = Some(command.spawn().map_err(|error| Trouble::io("the database", &error))?);
        Ok(true)
    }
}

fn as_root<'a>(arguments: &'a [&'a str]) -> &'a [&'a str] {
    if rustix::process::getuid().is_root() { arguments } else { &[] }
}

/// A program of PostgreSQL, which Debian keeps beside its version; as the user `postgres` when this is root.
fn postgres_command(program: &str) -> Result<Command, Trouble> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let found = versions.map(|entry| entry.path().join("bin").join(program)).filter(|path| path.exists()).max();
    let path = found.unwrap_or_else(|| PathBuf::from(program));
    if !rustix::process::getuid().is_root() {
        return Ok(Command::new(path));
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "--"]).arg(path);
    Ok(command)
}

async fn ran(what: &str, mut command: Command) -> Result<(), Trouble> {
    let output = command.stdin(Stdio::null()).output().await.map_err(|error| Trouble::io(what, &error))?;
    match output.status.success() {
        true => Ok(()),
        false => {
            let text = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            Err(Trouble::new(format!("{what} failed: {text}")))
        }
    }
}
