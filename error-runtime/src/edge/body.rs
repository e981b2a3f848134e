//! The body of a response that has passed an edge.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::watch::Watch;
use crate::tower::BoxError;

pin_project_lite::pin_project! {
    /// A service's own body, or the answer that an edge has written in its place.
    pub struct EdgeBody<B> {
        #[pin]
        inner: Inner<B>,
        // Of a stream: the request that it belongs to.
        watch: Option<Box<Watch>>,
    }
}

pin_project_lite::pin_project! {
    #[project = InnerProjection]
    enum Inner<B> {
        Own {
            #[pin]
            body: B,
        },
        Answer {
            bytes: Bytes,
        },
    }
}

impl<B> EdgeBody<B> {
    pub(super) fn own(body: B) -> Self {
        Self {
            inner: Inner::Own { body },
            watch: None,
        }
    }

    pub(super) fn answer(bytes: Vec<u8>) -> Self {
        Self {
            inner: Inner::Answer {
                bytes: bytes.into(),
            },
            watch: None,
        }
    }

    /// How long an answer is; nothing for a service's own body.
    pub(super) fn answer_length(&self) -> Option<u64> {
        match &self.inner {
            Inner::Answer { bytes } => Some(bytes.len() as u64),
            Inner::Own { .. } => None,
        }
    }

    /// A stream.
    pub(super) fn watched(body: B, watch: Watch) -> Self {
        Self {
            inner: Inner::Own { body },
            watch: Some(Box::new(watch)),
        }
    }
}

impl<B> Body for EdgeBody<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.project();
        match this.inner.project() {
            InnerProjection::Own { body } => match this.watch {
                Some(watch) => watch.poll(|| body.poll_frame(context)),
                None => body
                    .poll_frame(context)
                    .map(|frame| frame.map(|frame| frame.map_err(Into::into))),
            },
            InnerProjection::Answer { bytes } if bytes.is_empty() => Poll::Ready(None),
            InnerProjection::Answer { bytes } => {
                Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes)))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.inner {
            Inner::Own { body } => body.is_end_stream(),
            Inner::Answer { bytes } => bytes.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            Inner::Own { body } => body.size_hint(),
            Inner::Answer { bytes } => SizeHint::with_exact(bytes.len() as u64),
        }
    }
}

impl<B: Default> Default for EdgeBody<B> {
    fn default() -> Self {
        Self::own(B::default())
    }
}

impl<B> fmt::Debug for EdgeBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.inner {
            Inner::Own { .. } => "Own",
            Inner::Answer { .. } => "Answer",
        };
        f.debug_tuple("EdgeBody").field(&kind).finish()
    }
}
