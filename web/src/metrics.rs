//! Figures about requests.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

/// Counts and times of requests, by method and class of status: few series, whatever is asked for.
pub struct Metrics {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
}

impl Default for Metrics {
    fn default() -> Self {
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0])
            .expect("the buckets are not empty");
        let recorder = builder.build_recorder();
        Self { handle: recorder.handle(), recorder }
    }
}

impl Metrics {
    pub fn record(&self, method: &Method, status: StatusCode, elapsed: Duration) {
        let class = match status.as_u16() {
            ..300 => "2xx",
            300..400 => "3xx",
            400..500 => "4xx",
            500.. => "5xx",
        };
        let method = match *method {
            Method::GET => "GET",
            Method::POST => "POST",
            Method::PUT => "PUT",
            Method::PATCH => "PATCH",
            Method::DELETE => "DELETE",
            _ => "other",
        };
        metrics::with_local_recorder(&self.recorder, || {
            metrics::histogram!("patchbay_request_duration_seconds", "method" => method, "status" => class).record(elapsed.as_secs_f64());
        });
    }

    /// A WebSocket was closed because what was sent was not read.
    pub fn slow_reader(&self) {
        metrics::with_local_recorder(&self.recorder, || metrics::counter!("patchbay_websockets_closed_slow_total").increment(1));
    }

    pub fn render(&self) -> String {
        self.handle.run_upkeep();
        self.handle.render()
    }
}
