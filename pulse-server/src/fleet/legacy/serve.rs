//! One agent's connection.

use super::agent::{Agent, Said};
use super::enrol::Enrolled;
use super::known::Sent;
use super::wire::{FromAgent, ToAgent};
use crate::clock;
use crate::drive::Driver;
use crate::fleet::session::{HELLO_TIMEOUT, Opened, Session};
use crate::fleet::{Fleet, HEARTBEAT, SILENCE};
use crate::http::socket::{Gone, Socket};
use futures_util::StreamExt;
use pulse_core::fault;
use pulse_core::ids::WorkerId;
use pulse_core::protocol::worker::FromWorker;
use pulse_core::text::{one_line, shorten};
use std::net::SocketAddr;
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;

/// Serves an agent until the connection ends or the server stops.
pub async fn serve(mut socket: Socket, peer: SocketAddr, fleet: Fleet, driver: Driver, stop: CancellationToken) {
    let Some((agent_id, name)) = introduction(&mut socket).await else {
        return socket.close(1008, "the first message must be worker_connect").await;
    };
    let opened = match fleet.agent(&name).and_then(|id| Some((id, fleet.turn(id)?))) {
        None => Err(NOT_ENROLLED),
        Some((id, turn)) => {
            // What was sent stands still until this connection is the agent's: an older one sends nothing after that.
            let _turn = turn.lock().await;
            connected(id, &agent_id, peer, fleet, driver, stop).await
        }
    };
    let (mut opened, mut agent, left) = match opened {
        Ok(opened) => opened,
        Err(why) => {
            tracing::warn!(worker = %shorten(&one_line(&name), 120), %peer, "an agent is refused: {why}");
            return socket.close(1008, why).await;
        }
    };
    opened.session.welcomed();
    if say(left, &mut agent, &mut socket, &mut opened).await.is_ok() {
        run(&mut agent, &mut opened, socket).await;
    }
    opened.session.over();
}

/// Why most are refused.
const NOT_ENROLLED: &str = "no heartbeat has enrolled this worker_id";

async fn connected(
    id: WorkerId,
    agent_id: &str,
    peer: SocketAddr,
    fleet: Fleet,
    driver: Driver,
    stop: CancellationToken,
) -> Result<(Opened, Agent, Said), &'static str> {
    let Enrolled { hello, left } = fleet.enrolled(id, agent_id, &driver).await.ok_or(NOT_ENROLLED)?;
    let most = hello.capacity as usize;
    let opened = Opened::of(hello, peer, fleet, driver, stop).await;
    let (opened, _) = opened.map_err(|_| "refused; the server's log says why")?;
    let (agent, said) = Agent::new(agent_id.to_owned(), most, left);
    Ok((opened, agent, said))
}

async fn introduction(socket: &mut Socket) -> Option<(String, String)> {
    let message = tokio::time::timeout(HELLO_TIMEOUT, socket.stream.next()).await.ok()??;
    match serde_json::from_str(message.ok()?.to_text().ok()?) {
        Ok(FromAgent::WorkerConnect { worker_id, worker_name }) => Some((worker_id, worker_name)),
        _ => None,
    }
}

async fn run(agent: &mut Agent, opened: &mut Opened, mut socket: Socket) {
    let mut ping = tokio::time::interval(HEARTBEAT);
    ping.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    ping.reset();
    let mut silent = Duration::ZERO;
    loop {
        let said = tokio::select! {
            () = opened.cancel.cancelled() => return socket.close(1001, "replaced, or the server stops").await,
            message = socket.stream.next() => {
                silent = Duration::ZERO;
                opened.session.fleet.heard(opened.session.worker_id, opened.session.id);
                match message {
                    Some(Ok(Message::Text(text))) => match serde_json::from_str(&text) {
                        Ok(message) => {
                            let said = agent.heard(message, clock::steady());
                            if agent.has_read_all() {
                                opened.session.fleet.agent_has_read(opened.session.worker_id, opened.session.id);
                            }
                            said
                        }
                        Err(error) => {
                            tracing::warn!(worker = %opened.session.worker_id, %error, "an agent's message is not understood");
                            Said::default()
                        }
                    },
                    Some(Ok(Message::Binary(_))) => return socket.close(1003, "text frames only").await,
                    Some(Ok(_)) => Said::default(),
                    Some(Err(error)) => return socket.close_after(&error).await,
                    None => return,
                }
            }
            Some(message) = opened.outgoing.recv() => {
                let Session { fleet, worker_id, .. } = &opened.session;
                agent.let_go(|command_id| fleet.holds(*worker_id, command_id));
                agent.told(message, clock::steady())
            }
            () = opened.probe.notified() => Said { to_agent: vec![ToAgent::Ping], ..Said::default() },
            _ = ping.tick() => {
                silent += HEARTBEAT;
                if silent > SILENCE * 2 {
                    return;
                }
                let Session { fleet, worker_id, .. } = &opened.session;
                let may_come = |command_id| fleet.may_still_tell(*worker_id, command_id);
                let mut said = agent.tick(clock::steady(), fleet.lost_grace(), may_come);
                said.to_agent.push(ToAgent::Ping);
                said
            }
        };
        if say(said, agent, &mut socket, opened).await.is_err() {
            return;
        }
    }
}

/// Says everything: first to the agent, for the fleet hears of what the agent has been given.
async fn say(said: Said, agent: &mut Agent, socket: &mut Socket, opened: &mut Opened) -> Result<(), Gone> {
    for message in said.to_agent {
        if let ToAgent::ExecuteCommand { command_id, execution_id, timeout, .. } = &message {
            let sent = Sent::now(*execution_id, agent.process(), *timeout);
            let Session { fleet, worker_id, id, .. } = &opened.session;
            let written = fleet.about_to_send(*worker_id, *id, *command_id, sent).await;
            match written {
                Ok(true) => {}
                Ok(false) => return Err(Gone),
                Err(error) => {
                    agent.not_sent(*command_id);
                    let reason = format!("that it is sent could not be written down: {error}");
                    let rejected = FromWorker::Rejected { command_id: *command_id, reason };
                    // Nothing else is said with a command.
                    return opened.session.message(rejected).await.map_err(|_| Gone);
                }
            }
        }
        if message == ToAgent::Ping {
            agent.pinged();
        }
        let text = serde_json::to_string(&message).expect("a message has a JSON form");
        fault::point("dispatch.sending");
        socket.send(Message::Text(text.into())).await?;
        fault::point("dispatch.sent");
    }
    for command_id in said.overdue {
        opened.session.fleet.overdue(opened.session.worker_id, command_id);
    }
    for message in said.to_fleet {
        opened.session.message(message).await.map_err(|_| Gone)?;
    }
    Ok(())
}
