//! `onair check --alive`: whether the service on this machine answers, for a container's health check, where there is no
//! other program to ask with.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::Context as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{Failed, print};

/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(3);

pub(super) async fn alive(listen: SocketAddr) -> Result<(), Failed> {
    let address = SocketAddr::new(on_this_machine(listen.ip()), listen.port());
    let asked = tokio::time::timeout(PATIENCE, ask(address)).await;
    match asked.context("no answer in three seconds").flatten() {
        Ok(()) => print("service        ok"),
        Err(error) => {
            print(format_args!("service        FAILED: {error:#}"))?;
            Err(Failed::Told)
        }
    }
}

/// Whoever listens everywhere is asked at the loopback address.
fn on_this_machine(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(address) if address.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(address) if address.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        address => address,
    }
}

async fn ask(address: SocketAddr) -> anyhow::Result<()> {
    /// The first line of the answer.
    const ALIVE: &[u8] = b"HTTP/1.1 200 ";
    let mut stream = TcpStream::connect(address).await.with_context(|| format!("nothing listens at {address}"))?;
    let request = format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut first = [0; ALIVE.len()];
    stream.read_exact(&mut first).await.context("the connection ended without an answer")?;
    anyhow::ensure!(first == ALIVE, "what listens at {address} is not OnAir, or is not well");
    Ok(())
}
