//! Traces over [OTLP](https://opentelemetry.io/docs/specs/otlp/), by HTTP: what each command, report and stream was busy
//! with, and for how long.
//!
//! Nothing is begun unless OpenTelemetry's own variables name a receiver. Spans of OnAir alone are sent, with the fields
//! that the code gives them: the `reference`, the name of a call, and never what a person typed. They wait in a bounded
//! queue and are sent by a thread of their own, so that a receiver that is slow or away costs spans, and no command.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter as Export};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

/// How long the last spans may take at the end.
pub const FLUSH: Duration = Duration::from_secs(3);

/// Where traces go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The address of the receiver, with its path.
    pub endpoint: String,
    /// What the service is called there.
    pub service_name: String,
}

/// No client could be built for the receiver.
#[derive(Debug, thiserror::Error)]
#[error("traces cannot be sent: the HTTP client could not be built")]
pub struct BuildError;

/// The way of spans to their receiver.
#[derive(Debug)]
pub struct Traces(SdkTracerProvider);

impl Traces {
    /// Starts the thread that sends. The sampler, the headers and the batches are as OpenTelemetry's variables say.
    pub fn start(options: &Options) -> Result<Self, BuildError> {
        let exporter = SpanExporter::builder().with_http().with_endpoint(&options.endpoint).build();
        let exporter = exporter.map_err(|_| BuildError)?;
        let resource = Resource::builder()
            .with_service_name(options.service_name.clone())
            .with_attribute(opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(Told { exporter, is_away: AtomicBool::new(false) })
            .with_resource(resource)
            .build();
        Ok(Self(provider))
    }

    /// Takes the spans of OnAir, whatever is logged.
    pub(super) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: tracing::Subscriber + for<'a> LookupSpan<'a>,
    {
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer("onair"))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_filter(filter_fn(|about| about.is_span() && about.target().starts_with("onair")))
    }

    /// Sends what waits, for at most [`FLUSH`], and ends the thread.
    pub async fn flush(self) {
        let flushed = tokio::task::spawn_blocking(move || self.0.shutdown_with_timeout(FLUSH)).await;
        if !matches!(flushed, Ok(Ok(()))) {
            tracing::warn!("the last traces may not have been sent");
        }
    }
}

/// Says once in the log that the receiver is away, and once that it is back. Why is left out: the error quotes the
/// address.
#[derive(Debug)]
struct Told {
    exporter: SpanExporter,
    is_away: AtomicBool,
}

impl Export for Told {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let count = batch.len();
        let result = self.exporter.export(batch).await;
        match (result.is_err(), self.is_away.swap(result.is_err(), Ordering::Relaxed)) {
            (true, false) => tracing::warn!(count, "traces are lost: their receiver does not take them"),
            (false, true) => tracing::info!("traces are taken again"),
            (true, true) | (false, false) => {}
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
