//! How does Redis keep the records?
//!
//! Operations on one key are one command, all others one script, so each is atomic. Scripts are known by their hash and
//! loaded again whenever the server has forgotten them.

mod line;

use std::time::Duration;

use redis::{Cmd, RedisWrite, Script, ToRedisArgs, cmd};

use self::line::{Again, Line, Order, What};
use super::chain::{Entry, Link};
use super::engine::{
    Acceptance, Change, Draft, Engine, From, Item, Kept, Left, Logged, Page, Plan, Swap, Swapped, Taken, Waiting,
    millis,
};
use super::error::Error;
use super::key::Key;
use super::trail::Seq;
use crate::id::fill_random;
use crate::secret::Secret;

/// The engine on Redis.
pub(crate) struct Redis {
    line: Line,
    /// What stands before every key, with its colon.
    namespace: String,
    accept: Script,
    journal: Script,
    keep: Script,
    change: Script,
    finish: Script,
    plan: Script,
    hurry: Script,
    claim: Script,
    waiting: Script,
    swap: Script,
    hold: Script,
    let_go: Script,
    join: Script,
    shelve: Script,
    shelf: Script,
    replace: Script,
    trim: Script,
}

impl Redis {
    /// Reads the address. Whether there is a Redis shows with the first request.
    pub(super) fn open(url: &Secret, namespace: &str, deadline: Duration) -> Result<Self, Error> {
        Ok(Self {
            line: Line::new(url, deadline)?,
            namespace: format!("{namespace}:"),
            accept: Script::new(concat!(include_str!("log.lua"), include_str!("accept.lua"))),
            journal: Script::new(include_str!("journal.lua")),
            keep: Script::new(include_str!("keep.lua")),
            change: Script::new(concat!(include_str!("log.lua"), include_str!("change.lua"))),
            finish: Script::new(include_str!("finish.lua")),
            plan: Script::new(concat!(include_str!("later.lua"), include_str!("plan.lua"))),
            hurry: Script::new(include_str!("hurry.lua")),
            claim: Script::new(include_str!("claim.lua")),
            waiting: Script::new(include_str!("waiting.lua")),
            swap: Script::new(concat!(include_str!("log.lua"), include_str!("later.lua"), include_str!("swap.lua"))),
            hold: Script::new(include_str!("hold.lua")),
            let_go: Script::new(include_str!("let_go.lua")),
            join: Script::new(concat!(include_str!("log.lua"), include_str!("join.lua"))),
            shelve: Script::new(concat!(include_str!("log.lua"), include_str!("shelve.lua"))),
            shelf: Script::new(include_str!("shelf.lua")),
            replace: Script::new(include_str!("replace.lua")),
            trim: Script::new(include_str!("trim.lua")),
        })
    }

    fn name<'a>(&'a self, key: &'a Key) -> Name<'a> {
        Name { namespace: &self.namespace, key: key.as_str(), part: "" }
    }

    fn command(&self, verb: &str, key: &Key) -> Cmd {
        let mut command = cmd(verb);
        command.arg(self.name(key));
        command
    }

    fn shelf_names<'a>(&'a self, shelf: &'a Key) -> [Name<'a>; 2] {
        let name = self.name(shelf);
        [Name { part: ":at", ..name }, Name { part: ":value", ..name }]
    }

    async fn send<T: redis::FromRedisValue>(&self, command: Cmd, again: Again) -> Result<T, Error> {
        self.line.ask(&Order { what: What::Command(command), again }).await
    }

    async fn run<T: redis::FromRedisValue>(&self, call: Call<'_>, again: Again) -> Result<T, Error> {
        self.line.ask(&Order { what: What::Script(call), again }).await
    }

    /// A script on one job and the queue.
    fn on_job<'a>(&'a self, script: &'a Script, job: &Key) -> Call<'a> {
        let mut call = Call::of(script, &[self.name(job), self.name(&Key::due())]);
        call.arg(job.rest());
        call
    }

    /// Reads entries of the log.
    async fn rows(&self, command: Cmd) -> Result<Vec<Logged>, Error> {
        let rows: Vec<(String, Vec<Vec<u8>>)> = self.send(command, Again::Harmless).await?;
        let corrupt = || Error::Corrupt { prefix: Key::audit().prefix() };
        rows.into_iter().map(|(id, fields)| logged(&id, &fields).ok_or_else(corrupt)).collect()
    }

    async fn move_to(&self, member: &Key, group: Option<&Key>, entry: Option<&Entry>) -> Result<Option<Left>, Error> {
        let (log, head) = (Key::audit(), Key::audit_head());
        let mut script = Call::of(&self.join, &[self.name(member), self.name(&log), self.name(&head)]);
        let (entry, digest) = parts(entry);
        script.arg(entry).arg(digest).arg(&self.namespace).arg(member.as_str());
        if let Some(group) = group {
            script.arg(group.as_str());
        }
        let left: Option<(String, usize)> = self.run(script, Again::Never).await?;
        Ok(left.map(|(group, size)| Left { group, size }))
    }
}

/// The name of a record in Redis.
#[derive(Clone, Copy)]
struct Name<'a> {
    namespace: &'a str,
    key: &'a str,
    /// Which of the several structures of one record.
    part: &'static str,
}

impl ToRedisArgs for Name<'_> {
    fn write_redis_args<W: ?Sized + RedisWrite>(&self, out: &mut W) {
        let Self { namespace, key, part } = self;
        out.write_arg_fmt(format_args!("{namespace}{key}{part}"));
    }
}

/// One call of a script, written as it is sent. The library's own copies each argument twice on its way there.
struct Call<'a> {
    script: &'a Script,
    command: Cmd,
}

impl<'a> Call<'a> {
    fn of(script: &'a Script, keys: &[Name<'_>]) -> Self {
        let mut command = cmd("EVALSHA");
        command.arg(script.get_hash()).arg(keys.len()).arg(keys);
        Self { script, command }
    }

    fn arg(&mut self, arg: impl ToRedisArgs) -> &mut Self {
        self.command.arg(arg);
        self
    }
}

/// An entry and its digest; where there is none, a script takes nothing for it.
fn parts(entry: Option<&Entry>) -> (&[u8], &str) {
    entry.map_or((&[], ""), |entry| (&entry.bytes, &entry.digest))
}

/// A pattern that matches this text alone.
fn literally(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '^' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

fn logged(id: &str, fields: &[Vec<u8>]) -> Option<Logged> {
    let field = |name: &str| fields.chunks(2).find(|pair| pair[0] == name.as_bytes()).and_then(|pair| pair.get(1));
    let text = |name: &str| field(name).and_then(|value| String::from_utf8(value.clone()).ok());
    let link = text("number").and_then(|number| Some(Link { number: number.parse().ok()?, hash: text("hash")? }));
    Some(Logged { seq: id.parse().ok()?, bytes: field("entry")?.clone(), link })
}

impl Engine for Redis {
    async fn ping(&self) -> Result<(), Error> {
        // `PING` is answered by a replica and by a full server; a write is what readiness is about.
        self.put(&Key::ping(), b"1", Some(Duration::from_secs(60))).await
    }

    async fn get(&self, key: &Key) -> Result<Option<Vec<u8>>, Error> {
        self.send(self.command("GET", key), Again::Harmless).await
    }

    async fn put(&self, key: &Key, value: &[u8], life: Option<Duration>) -> Result<(), Error> {
        let mut command = self.command("SET", key);
        command.arg(value);
        if let Some(life) = life {
            command.arg("PX").arg(millis(life));
        }
        self.send(command, Again::Harmless).await
    }

    async fn take(&self, key: &Key) -> Result<Option<Vec<u8>>, Error> {
        self.send(self.command("GETDEL", key), Again::Never).await
    }

    async fn remove(&self, key: &Key) -> Result<(), Error> {
        self.send(self.command("DEL", key), Again::Harmless).await
    }

    async fn swap(&self, swap: Swap<'_>) -> Result<Swapped, Error> {
        let (log, head, due) = (Key::audit(), Key::audit_head(), Key::due());
        let [record, log, head, due] = [swap.key, &log, &head, &due].map(|key| self.name(key));
        let mut script = match &swap.plan {
            Some(plan) => Call::of(&self.swap, &[record, log, head, due, self.name(plan.key)]),
            None => Call::of(&self.swap, &[record, log, head]),
        };
        let (entry, digest) = parts(swap.entry);
        script.arg(entry).arg(digest).arg(swap.seen.unwrap_or_default()).arg(swap.wanted.unwrap_or_default());
        match swap.life {
            Some(life) => script.arg(millis(life)),
            None => script.arg(""),
        };
        if let Some(Plan { key, body, due }) = swap.plan {
            script.arg(key.rest()).arg(body).arg(millis(due));
        }
        let other: Option<Vec<u8>> = self.run(script, Again::Harmless).await?;
        Ok(other.map_or(Swapped::Done, |other| Swapped::Other(Some(other).filter(|other| !other.is_empty()))))
    }

    async fn hold(&self, key: &Key, owner: &str, life: Duration) -> Result<bool, Error> {
        let mut script = Call::of(&self.hold, &[self.name(key)]);
        script.arg(owner).arg(millis(life));
        self.run(script, Again::Harmless).await
    }

    async fn let_go(&self, key: &Key, owner: &str) -> Result<(), Error> {
        let mut script = Call::of(&self.let_go, &[self.name(key)]);
        script.arg(owner);
        self.run(script, Again::Harmless).await
    }

    async fn accept(&self, acceptance: Acceptance<'_>) -> Result<bool, Error> {
        let mut mark = [0; 16];
        fill_random(&mut mark);
        let (log, head, due) = (Key::audit(), Key::audit_head(), Key::due());
        let [delivery, log, head, due] = [acceptance.delivery, &log, &head, &due].map(|key| self.name(key));
        let mut script = match &acceptance.job {
            Some(job) => Call::of(&self.accept, &[delivery, log, head, due, self.name(job.key)]),
            None => Call::of(&self.accept, &[delivery, log, head, due]),
        };
        let (entry, digest) = parts(acceptance.entry);
        script.arg(&mark[..]).arg(millis(acceptance.life)).arg(entry).arg(digest);
        if let Some(Draft { key, body, owner, lease }) = acceptance.job {
            script.arg(key.rest()).arg(body).arg(owner).arg(millis(lease));
        }
        self.run(script, Again::Harmless).await
    }

    async fn journal(&self, job: Draft<'_>) -> Result<(), Error> {
        let mut script = self.on_job(&self.journal, job.key);
        script.arg(job.body).arg(job.owner).arg(millis(job.lease));
        self.run(script, Again::Harmless).await
    }

    async fn keep(&self, key: &Key, owner: &str, lease: Duration) -> Result<bool, Error> {
        let mut script = self.on_job(&self.keep, key);
        script.arg(owner).arg(millis(lease));
        self.run(script, Again::Harmless).await
    }

    async fn change(&self, change: Change<'_>) -> Result<bool, Error> {
        let (due, log, head) = (Key::due(), Key::audit(), Key::audit_head());
        let [job, due, log, head] = [change.key, &due, &log, &head].map(|key| self.name(key));
        let mut script = Call::of(&self.change, &[job, due, log, head]);
        let (entry, digest) = parts(change.entry);
        script.arg(change.key.rest()).arg(change.owner).arg(&change.mark[..]).arg(change.body);
        script.arg(entry).arg(digest);
        if let Some(due) = change.due {
            script.arg(millis(due));
        }
        self.run(script, Again::Harmless).await
    }

    async fn plan(&self, Plan { key, body, due }: Plan<'_>) -> Result<(), Error> {
        let mut script = self.on_job(&self.plan, key);
        script.arg(body).arg(millis(due));
        self.run(script, Again::Harmless).await
    }

    async fn hurry(&self, key: &Key) -> Result<bool, Error> {
        let script = self.on_job(&self.hurry, key);
        self.run(script, Again::Harmless).await
    }

    async fn finish(&self, key: &Key, owner: &str) -> Result<bool, Error> {
        let mut script = self.on_job(&self.finish, key);
        script.arg(owner);
        self.run(script, Again::Harmless).await
    }

    async fn claim(&self, owner: &str, lease: Duration) -> Result<Option<Taken>, Error> {
        let mut script = Call::of(&self.claim, &[self.name(&Key::due())]);
        script.arg(self.name(&Key::jobs())).arg(owner).arg(millis(lease));
        // Again, it would take another job. The one whose name was lost is claimable when this lease ends.
        let taken: Option<(String, Vec<u8>, u32)> = self.run(script, Again::Never).await?;
        Ok(taken.map(|(id, body, attempt)| Taken { id, body, attempt }))
    }

    async fn waiting(&self) -> Result<Waiting, Error> {
        let script = Call::of(&self.waiting, &[self.name(&Key::due())]);
        let (open, claimable, oldest): (u64, u64, u64) = self.run(script, Again::Harmless).await?;
        Ok(Waiting { open, claimable, oldest: (claimable > 0).then(|| Duration::from_millis(oldest)) })
    }

    async fn join(&self, member: &Key, group: &Key, entry: Option<&Entry>) -> Result<Option<Left>, Error> {
        self.move_to(member, Some(group), entry).await
    }

    async fn leave(&self, member: &Key, entry: Option<&Entry>) -> Result<Option<Left>, Error> {
        self.move_to(member, None, entry).await
    }

    async fn group_of(&self, member: &Key) -> Result<Option<String>, Error> {
        self.send(self.command("GET", member), Again::Harmless).await
    }

    async fn members(&self, group: &Key) -> Result<Vec<String>, Error> {
        self.send(self.command("SMEMBERS", group), Again::Harmless).await
    }

    async fn size(&self, group: &Key) -> Result<usize, Error> {
        self.send(self.command("SCARD", group), Again::Harmless).await
    }

    async fn shelve(&self, shelf: &Key, item: Item<'_>) -> Result<(), Error> {
        let [at, values] = self.shelf_names(shelf);
        let (log, head) = (Key::audit(), Key::audit_head());
        let mut script = Call::of(&self.shelve, &[at, values, self.name(&log), self.name(&head)]);
        let (entry, digest) = parts(item.entry);
        script.arg(entry).arg(digest).arg(item.slot).arg(item.value).arg(millis(item.life));
        self.run(script, Again::Harmless).await
    }

    async fn shelf(&self, shelf: &Key) -> Result<Vec<Vec<u8>>, Error> {
        let script = Call::of(&self.shelf, &self.shelf_names(shelf));
        self.run(script, Again::Harmless).await
    }

    async fn list(&self, prefix: &'static str, from: Option<&str>, limit: u32) -> Result<Page, Error> {
        let mut scan = cmd("SCAN");
        let pattern = format!("{}*", literally(&format!("{}{prefix}", self.namespace)));
        scan.arg(from.unwrap_or("0")).arg("MATCH").arg(pattern).arg("COUNT").arg(limit);
        let (next, names): (String, Vec<String>) = self.send(scan, Again::Harmless).await?;
        let keys = names.iter().filter_map(|name| name.strip_prefix(&self.namespace)).map(str::to_owned).collect();
        Ok(Page { keys, next: Some(next).filter(|next| next != "0") })
    }

    async fn look(&self, key: &Key) -> Result<Option<Vec<u8>>, Error> {
        if key.prefix() != Key::JOBS {
            return self.get(key).await;
        }
        let mut command = self.command("HGET", key);
        command.arg("body");
        self.send(command, Again::Harmless).await
    }

    async fn replace(&self, key: &Key, seen: &[u8], wanted: &[u8]) -> Result<bool, Error> {
        let mut script = Call::of(&self.replace, &[self.name(key)]);
        script.arg(seen).arg(wanted);
        if key.prefix() == Key::JOBS {
            script.arg("body");
        }
        self.run(script, Again::Harmless).await
    }

    async fn entries(&self, from: From, limit: u32) -> Result<Vec<Logged>, Error> {
        // An entry's id begins with the time it was appended at.
        let since = from.since.map_or(0, |since| u64::try_from(since.as_millisecond()).unwrap_or(0));
        let start = match from.after {
            Some(after) if after.major >= since => format!("({after}"),
            Some(_) | None => since.to_string(),
        };
        let mut command = self.command("XRANGE", &Key::audit());
        command.arg(start).arg("+").arg("COUNT").arg(limit);
        self.rows(command).await
    }

    async fn newest(&self, before: Option<Seq>, limit: u32) -> Result<Vec<Logged>, Error> {
        let start = before.map_or_else(|| "+".to_owned(), |before| format!("({before}"));
        let mut command = self.command("XREVRANGE", &Key::audit());
        command.arg(start).arg("-").arg("COUNT").arg(limit);
        self.rows(command).await
    }

    async fn trim(&self, kept: Kept, most: u32) -> Result<u32, Error> {
        let (log, anchor) = (Key::audit(), Key::audit_anchor());
        let mut script = Call::of(&self.trim, &[self.name(&log), self.name(&anchor)]);
        script.arg(most);
        match kept {
            Kept::Newest(longest) => script.arg(longest).arg(""),
            Kept::For(age) => script.arg("").arg(millis(age)),
        };
        self.run(script, Again::Harmless).await
    }

    async fn head(&self) -> Result<Link, Error> {
        let mut command = self.command("HMGET", &Key::audit_head());
        command.arg("number").arg("hash");
        let (number, hash): (Option<u64>, Option<String>) = self.send(command, Again::Harmless).await?;
        Ok(Link { number: number.unwrap_or_default(), hash: hash.unwrap_or_default() })
    }
}
