//! A connection that does not wait for ever.
//!
//! hyper has one timer, for reading a request's head, and it also runs while a kept connection is
//! idle. Here the phases have each their own limit: a head must be whole soon after its first byte,
//! an idle connection may rest a little, and a client that does not read lets go of its seat.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// How long a connection may take to send the head of a request: from its opening, then from the
/// first byte of each further request.
const HEAD_TIME: Duration = Duration::from_secs(5);
/// How long a connection may rest between two requests.
pub(super) const IDLE_TIME: Duration = Duration::from_secs(15);
/// How long a client may leave what is sent unread.
const STALL_TIME: Duration = Duration::from_secs(10);
/// How long one request may take in all, its response included.
const REQUEST_TIME: Duration = Duration::from_secs(90);

/// What a connection is doing, and since when. Shared with the service that answers on it.
#[derive(Debug, Clone)]
pub(super) struct Phase(Arc<Mutex<(Doing, Instant)>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    /// The head of a request is arriving.
    Head,
    /// A request is being answered.
    Answering,
    /// Nothing, between two requests.
    Resting,
}

impl Phase {
    /// A connection just opened.
    pub(super) fn opened() -> Self {
        Self(Arc::new(Mutex::new((Doing::Head, Instant::now()))))
    }

    /// A request has arrived.
    pub(super) fn answering(&self) {
        *self.0.lock() = (Doing::Answering, Instant::now());
    }

    /// Its response has been handed over.
    pub(super) fn answered(&self) {
        *self.0.lock() = (Doing::Resting, Instant::now());
    }

    /// Bytes have arrived.
    fn heard(&self) {
        let mut phase = self.0.lock();
        if phase.0 == Doing::Resting {
            *phase = (Doing::Head, Instant::now());
        }
    }

    /// When patience ends.
    fn deadline(&self) -> Instant {
        let (doing, since) = *self.0.lock();
        since
            + match doing {
                Doing::Head => HEAD_TIME,
                Doing::Answering => REQUEST_TIME,
                Doing::Resting => IDLE_TIME,
            }
    }
}

/// A stream with limits.
#[derive(Debug)]
pub(super) struct Line<S> {
    stream: S,
    phase: Phase,
    reading: Pin<Box<Sleep>>,
    writing: Pin<Box<Sleep>>,
    stalled: bool,
}

impl<S> Line<S> {
    /// Puts limits on a stream.
    pub(super) fn new(stream: S, phase: Phase) -> Self {
        let timer = || Box::pin(tokio::time::sleep(HEAD_TIME));
        Self {
            stream,
            phase,
            reading: timer(),
            writing: timer(),
            stalled: false,
        }
    }

    /// Lets a pending write wait, but not for ever.
    fn patience<T>(
        &mut self,
        cx: &mut Context<'_>,
        poll: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if poll.is_ready() {
            self.stalled = false;
            return poll;
        }
        if !self.stalled {
            self.stalled = true;
            let until = (Instant::now() + STALL_TIME).min(self.phase.deadline());
            self.writing.as_mut().reset(until);
        }
        ready!(self.writing.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Line<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buf.filled().len();
        if let Poll::Ready(read) = Pin::new(&mut this.stream).poll_read(cx, buf) {
            if buf.filled().len() > before {
                this.phase.heard();
            }
            return Poll::Ready(read);
        }
        // The phase may have changed since the timer was set: it is looked at each time the timer fires.
        loop {
            let deadline = this.phase.deadline();
            if this.reading.deadline() != deadline {
                this.reading.as_mut().reset(deadline);
            }
            ready!(this.reading.as_mut().poll(cx));
            if this.phase.deadline() <= Instant::now() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Line<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.patience(cx, poll)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let poll = Pin::new(&mut self.stream).poll_flush(cx);
        self.patience(cx, poll)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let poll = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.patience(cx, poll)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.patience(cx, poll)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    /// A runtime of its own, on real time: each limit is asked for, none is waited for whole.
    fn on_runtime(test: impl Future<Output = ()>) {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("a runtime starts")
            .block_on(test);
    }

    #[test]
    fn each_phase_has_its_own_limit() {
        on_runtime(async {
            let phase = Phase::opened();
            let left = |phase: &Phase| phase.deadline() - Instant::now();
            assert!(left(&phase) <= HEAD_TIME);
            phase.answering();
            assert!(left(&phase) > STALL_TIME);
            phase.heard();
            assert!(
                left(&phase) > STALL_TIME,
                "bytes that arrive during an answer do not shorten it"
            );
            phase.answered();
            assert!(left(&phase) > HEAD_TIME && left(&phase) <= IDLE_TIME);
            phase.heard();
            assert!(
                left(&phase) <= HEAD_TIME,
                "the first byte of a request starts its head's time"
            );
        });
    }

    #[test]
    fn a_silent_connection_is_let_go() {
        on_runtime(async {
            let (mut far, near) = duplex(64);
            let phase = Phase::opened();
            let mut line = Line::new(near, phase.clone());
            far.write_all(b"GET").await.expect("written");
            let mut buf = [0; 8];
            assert_eq!(line.read(&mut buf).await.expect("read"), 3);
            phase.0.lock().1 = Instant::now() - HEAD_TIME + Duration::from_millis(20);
            let error = line.read(&mut buf).await.expect_err("too slow");
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        });
    }
}
