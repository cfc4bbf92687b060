//! A progress bar for long preparations, on stderr, when it is a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::app::Readiness;
use crate::index::Stage;

/// Shows how far the index is, until it is ready or the task is aborted.
pub fn show(mut readiness: watch::Receiver<Readiness>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut bar: Option<(Stage, ProgressBar)> = None;
        loop {
            let state = readiness.borrow_and_update().clone();
            match state {
                Readiness::Preparing(Some(progress)) => {
                    if bar
                        .as_ref()
                        .is_none_or(|(stage, _)| *stage != progress.stage)
                    {
                        if let Some((_, done)) = bar.take() {
                            done.finish_and_clear();
                        }
                        bar = Some((progress.stage, styled(progress.stage, progress.total)));
                    }
                    if let Some((_, bar)) = &bar {
                        bar.set_position(progress.done as u64);
                    }
                }
                Readiness::Preparing(None) => {}
                // The preparation that follows begins anew.
                Readiness::Away(_) => {
                    if let Some((_, stopped)) = bar.take() {
                        stopped.finish_and_clear();
                    }
                }
                Readiness::Ready | Readiness::Failed(_) => break,
            }
            if readiness.changed().await.is_err() {
                break;
            }
        }
        if let Some((_, bar)) = bar {
            bar.finish_and_clear();
        }
    })
}

fn styled(stage: Stage, total: usize) -> ProgressBar {
    let name = match stage {
        Stage::Embedding => "Lecture du corpus par l’encodeur",
        Stage::Indexing => "Construction de l’index",
    };
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} ({eta})")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(total as u64)
        .with_style(style)
        .with_message(name);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
