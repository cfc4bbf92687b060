//! Logs: on stderr, in English, filtered by `-v` and `ASSISTANT_LOG`.
//!
//! A person's words and facts are never logged; nor is anything of a conversation but its durations.

use tracing_subscriber::EnvFilter;

/// Starts logging. `verbose`: 0 for warnings and the milestones of the service, 1 for information, 2 for details.
pub fn start(verbose: u8) {
    let level = match verbose {
        0 => "warn",
        1 => "info",
        _ => "debug",
    };
    // qdrant-edge warns of its own feature flags on each load; that is nobody's concern here.
    let default = format!("warn,assistant={level},qdrant_edge=error,candle_core=error");
    let filter =
        EnvFilter::try_from_env("ASSISTANT_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false);
    // A second start, as in tests, keeps the first.
    let _ = subscriber.try_init();
}
