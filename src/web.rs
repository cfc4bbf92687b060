//! stub
use std::net::SocketAddr; use std::sync::Arc; use crate::app::App;
/// stub
pub async fn bind(a: SocketAddr) -> anyhow::Result<tokio::net::TcpListener> { Ok(tokio::net::TcpListener::bind(a).await?) }
/// stub
pub async fn serve_on(_l: tokio::net::TcpListener, _a: Arc<App>, s: impl Future<Output=()>) -> anyhow::Result<()> { s.await; Ok(()) }
/// stub
pub fn htmx_version() -> Option<&'static str> { None }
