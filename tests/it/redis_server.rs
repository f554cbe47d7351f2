//! A real Redis for tests: on loopback, in memory, and gone when the test process is gone, however that ends.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use onair::secret::Secret;

/// Waits for the end of its input, which comes when the test process lets go of the pipe, even by dying.
const WATCHDOG: &str = r#"redis-server "$@" & server=$!; cat > /dev/null; kill "$server"; wait "$server""#;

/// How long a server may take to start on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// One server; dropping it stops it.
pub(crate) struct RedisServer {
    port: u16,
    watchdog: Child,
    pipe: Option<ChildStdin>,
}

impl RedisServer {
    /// The server that all tests of this process share, each in its own namespace.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<RedisServer> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// Starts one on a free port.
    pub(crate) fn start() -> Self {
        Self::start_on(free_port(), &[])
    }

    /// Starts one on a given port, with more of `redis-server`'s options.
    pub(crate) fn start_on(port: u16, more: &[&str]) -> Self {
        let found = Command::new("redis-server").arg("--version").stdout(Stdio::null()).status();
        assert!(found.is_ok(), "redis-server is needed: apt-get install redis-server");
        let mut watchdog = Command::new("sh")
            .args(["-c", WATCHDOG, "sh", "--bind", "127.0.0.1", "--port", &port.to_string()])
            .args(["--save", "", "--appendonly", "no", "--dir", "/tmp"])
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("there is a shell");
        let pipe = watchdog.stdin.take();
        let server = Self { port, watchdog, pipe };
        let begun = Instant::now();
        while !server.answers() {
            assert!(begun.elapsed() < PATIENCE, "redis-server did not start on port {port}");
            std::thread::sleep(Duration::from_millis(10));
        }
        server
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> Secret {
        url(self.port)
    }

    /// Every value that is stored, as bytes, with its key; streams entry by entry.
    pub(crate) async fn dump(&self) -> Vec<u8> {
        let client = redis::Client::open(self.url().expose()).unwrap();
        let mut line = client.get_multiplexed_async_connection().await.unwrap();
        let keys: Vec<Vec<u8>> = redis::cmd("KEYS").arg("*").query_async(&mut line).await.unwrap();
        let mut bytes = Vec::new();
        for key in keys {
            bytes.extend(&key);
            let kind: String = redis::cmd("TYPE").arg(&key).query_async(&mut line).await.unwrap();
            let mut read = match kind.as_str() {
                "string" => redis::cmd("GET"),
                "hash" => redis::cmd("HGETALL"),
                "set" => redis::cmd("SMEMBERS"),
                "zset" => redis::cmd("ZRANGE"),
                "stream" => redis::cmd("XRANGE"),
                // It has expired since.
                "none" => continue,
                other => panic!("a {other} is not read here"),
            };
            read.arg(&key);
            match kind.as_str() {
                "stream" => read.arg("-").arg("+"),
                "zset" => read.arg(0).arg(-1),
                _ => &mut read,
            };
            let value: redis::Value = read.query_async(&mut line).await.unwrap();
            collect(&value, &mut bytes);
        }
        bytes
    }

    /// Sends one command, such as `CONFIG SET maxmemory 1`.
    pub(crate) async fn tell(&self, command: &str) {
        let client = redis::Client::open(self.url().expose()).unwrap();
        let mut line = client.get_multiplexed_async_connection().await.unwrap();
        let mut words = command.split(' ');
        let mut tell = redis::cmd(words.next().unwrap());
        for word in words {
            tell.arg(word);
        }
        tell.exec_async(&mut line).await.unwrap();
    }

    /// Kills it as the kernel would.
    pub(crate) fn kill(self) {
        let mut line = redis::Client::open(self.url().expose()).unwrap().get_connection().unwrap();
        let about: redis::InfoDict = redis::cmd("INFO").arg("server").query(&mut line).unwrap();
        let id: u32 = about.get("process_id").unwrap();
        let killed = Command::new("kill").args(["-KILL", &id.to_string()]).status().unwrap();
        assert!(killed.success(), "redis-server was there to be killed");
    }

    /// Answers nobody for so long, as a server does that swaps or fails over.
    pub(crate) async fn pause(&self, how_long: Duration) {
        self.tell(&format!("CLIENT PAUSE {} ALL", how_long.as_millis())).await;
    }

    /// Whether somebody there speaks Redis; one that wants a password does.
    fn answers(&self) -> bool {
        let ask = || -> std::io::Result<String> {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
            stream.set_read_timeout(Some(Duration::from_secs(1)))?;
            stream.write_all(b"PING\r\n")?;
            let mut line = String::new();
            BufReader::new(stream).read_line(&mut line)?;
            Ok(line)
        };
        ask().is_ok_and(|line| line.starts_with("+PONG") || line.starts_with("-NOAUTH"))
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        drop(self.pipe.take());
        self.watchdog.wait().expect("the watchdog ends with its input");
    }
}

pub(crate) fn url(port: u16) -> Secret {
    Secret::new(format!("redis://127.0.0.1:{port}/"))
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn collect(value: &redis::Value, bytes: &mut Vec<u8>) {
    match value {
        redis::Value::BulkString(text) => bytes.extend(text),
        redis::Value::SimpleString(text) => bytes.extend(text.as_bytes()),
        redis::Value::Array(values) | redis::Value::Set(values) => {
            values.iter().for_each(|value| collect(value, bytes))
        }
        redis::Value::Map(pairs) => pairs.iter().for_each(|(key, value)| {
            collect(key, bytes);
            collect(value, bytes);
        }),
        redis::Value::Nil | redis::Value::Int(_) => {}
        other => panic!("{other:?} is not read here"),
    }
}
